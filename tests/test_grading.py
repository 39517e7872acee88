"""Decision tables: parsing, the proof against brute force, grading, the course's rubrics, speed of the mechanism."""

import itertools
import math
import shutil
from importlib.util import find_spec

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crmlab.errors import InputError
from crmlab.grading import RUBRICS, DecisionTable, bonus_claims, order_measures, rubric
from crmlab.transactions import Transactions

AB = {"type": "category", "values": ["A", "B"]}
MONTHS = {"type": "number", "domain": ">= 0", "unit": "month"}


def meets(cell: str, value: object) -> bool:
    """A second, naive reading of a cell, for values in the input's unit: the referee of the tests."""
    if cell == "-":
        return True
    for part in cell.split("|"):
        text = part.strip()
        if text.startswith((">=", "<=")):
            number = float(text[2:])
            hit = value >= number if text[0] == ">" else value <= number
        elif text.startswith((">", "<")):
            number = float(text[1:])
            hit = value > number if text[0] == ">" else value < number
        elif text[0] in "[(":
            low, high = map(float, text[1:-1].split(","))
            hit = (value > low or (text[0] == "[" and value == low)) and (
                value < high or (text[-1] == "]" and value == high)
            )
        elif isinstance(value, str):
            hit = value == text
        else:
            hit = value == float(text)
        if hit:
            return True
    return False


def rules_met(rows: list[dict[str, object]], names: list[str], values: dict[str, object]) -> list[int]:
    """Numbers of the rules that a customer meets, by brute force."""
    return [n for n, row in enumerate(rows, start=1) if all(meets(str(row[name]), values[name]) for name in names)]


# ------------------------------------------------------------------------------------------ seeded faulty tables


def test_a_gap_is_shown_by_a_customer_who_really_falls_through() -> None:
    rows = [
        {"need": "A", "months": "<= 3", "grade": 1},
        {"need": "A", "months": "> 3.5", "grade": 2},
        {"need": "B", "months": "-", "grade": 3},
    ]
    found = DecisionTable(rows, inputs={"need": AB, "months": MONTHS}).check()
    assert not found.complete
    assert found.disjoint
    example = found.gaps.iloc[0]
    assert example["where"] == "need is A and months is (3, 3.5]"
    assert rules_met(rows, ["need", "months"], {"need": example["need"], "months": example["months"]}) == []
    assert found.problems == [
        f"1 combination meets no rule, such as need = A, months = {example['months']:g} "
        "(where need is A and months is (3, 3.5])."
    ]


def test_an_overlap_is_shown_by_a_customer_who_really_meets_both_rules() -> None:
    rows = [{"orders": "<= 3", "grade": "C"}, {"orders": "[3, 5]", "grade": "B"}, {"orders": "> 5", "grade": "A"}]
    table = DecisionTable(rows, inputs={"orders": {"type": "number"}})
    found = table.check()
    assert found.complete
    example = found.overlaps.iloc[0]
    assert (example["first"], example["second"], example["orders"], example["same_outcome"]) == (1, 2, 3.0, False)
    assert rules_met(rows, ["orders"], {"orders": example["orders"]}) == [1, 2]
    with pytest.raises(InputError) as error:
        table.grade(pd.DataFrame({"orders": [1.0]}))
    assert str(error.value) == (
        "decision table: 1 pair of rules meets, such as rules 1 and 2 at orders = 3, with different outcomes. Change "
        'the rules, or let the first rule that is met count with hit="first".'
    )
    first = DecisionTable(rows, hit="first")
    assert first.grade(pd.DataFrame({"orders": [3.0, 3.5]})).tolist() == ["C", "B"]


def test_a_shadowed_row_is_found_with_the_rows_that_shadow_it() -> None:
    rows = [
        {"need": "A", "months": "-", "grade": 1},
        {"need": "B", "months": "< 3", "grade": 2},
        {"need": "-", "months": "[1, 2]", "grade": 3},
        {"need": "B", "months": ">= 3", "grade": 4},
    ]
    found = DecisionTable(rows, inputs={"need": AB, "months": MONTHS}, hit="first").check()
    shadowed = found.redundant.iloc[0]
    assert (shadowed["rule"], shadowed["kind"], shadowed["others"]) == (3, "unreachable", [1, 2])
    assert shadowed["said"] == "Rule 3 is never reached: rules 1 and 2 already take all of it."
    for need, months in itertools.product("AB", [0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 9.0]):
        assert rules_met(rows, ["need", "months"], {"need": need, "months": months})[0] != 3


def test_contradictory_units_are_converted_told_and_shown_by_a_customer() -> None:
    rows = [{"months": "< 3 months", "grade": "new"}, {"months": ">= 90 days", "grade": "old"}]
    found = DecisionTable(rows, inputs={"months": MONTHS}).check()
    # 90 days are 90 / 30.4375 = 2.956879 months of the mean Gregorian length, less than 3.
    example = found.overlaps["months"].iloc[0]
    assert 90 / 30.4375 <= example < 3
    assert found.units[["rule", "unit", "declared", "read_as"]].values.tolist() == [[2, "days", "month", "2.956879"]]
    assert found.problems[-1] == (
        "Rule 2, months: '>= 90 days' is written in days, the input in month; it is read as 2.956879 month."
    )


def test_units_that_measure_different_things_are_refused() -> None:
    with pytest.raises(InputError) as error:
        DecisionTable([{"months": "< 3 元", "grade": "new"}], inputs={"months": MONTHS})
    assert str(error.value) == (
        "decision table, rule 1, column months: '< 3 元' is found; expected month or a unit that converts into it. "
        "Change the unit or the input's."
    )


@pytest.mark.parametrize(
    ("cell", "unit", "low", "high"),
    [(">= 1 year", "month", 12, math.inf), ("[2, 3) 万元", "元", 20000, 30000), ("< 5%", "share", -math.inf, 0.05)],
)
def test_units_convert(cell: str, unit: str, low: float, high: float) -> None:
    table = DecisionTable([{"x": cell, "grade": 1}], inputs={"x": {"type": "number", "unit": unit}})
    assert table.design.rules[0].conditions[0].spans == ((low, high),)


def test_a_condition_outside_the_domain_is_never_met() -> None:
    rows = [{"x": "0-2", "grade": 1}, {"x": "3+", "grade": 2}, {"x": "8+", "grade": 3}]
    found = DecisionTable(rows, inputs={"x": {"type": "count", "domain": "0-5"}}, hit="first").check()
    assert found.problems[-1] == "Rule 3 is never met: its condition on x lies outside the domain 0-5."


def test_a_redundant_row_is_one_whose_customers_would_get_the_same() -> None:
    rows = [{"x": "> 5", "grade": 1}, {"x": "> 3", "grade": 1}, {"x": "-", "grade": 2}]
    found = DecisionTable(rows, hit="first").check().redundant
    assert found[["rule", "kind", "others"]].values.tolist() == [[1, "redundant", [2, 3]]]


# --------------------------------------------------------------------------------- the prover and brute force

POINTS = [-1.0, 0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0]
cells = st.sampled_from(["-", "< 1", "<= 1", ">= 1", "> 1", "[0, 2)", "(0, 2]", "(1, 3)", "2", "< 0|> 2", "[1, 2]|3"])
letters = st.sampled_from(["-", "a", "b", "c", "a|b", "b|c"])
tables = st.lists(
    st.fixed_dictionaries({"k": letters, "x": cells, "y": cells, "grade": st.sampled_from("PQR")}),
    min_size=1,
    max_size=7,
)
INPUTS = {"k": {"type": "category", "values": ["a", "b", "c"]}, "x": {"type": "number"}, "y": {"type": "number"}}
CUSTOMERS = pd.DataFrame(itertools.product("abc", POINTS, POINTS), columns=["k", "x", "y"])


@settings(max_examples=120, deadline=None)
@given(tables)
def test_the_prover_agrees_with_brute_force(rows: list[dict[str, object]]) -> None:
    names = ["k", "x", "y"]
    table = DecisionTable(rows, inputs=INPUTS, hit="first")
    found = table.check()
    met = [rules_met(rows, names, customer) for customer in CUSTOMERS.to_dict("records")]
    # The points hold every boundary of the cells and a point between any two, so brute force misses no combination.
    assert found.complete == all(met)
    pairs = {pair for numbers in met for pair in itertools.combinations(numbers, 2)}
    assert {(row["first"], row["second"]) for row in found.overlaps.to_dict("records")} == pairs
    for gap in found.gaps.to_dict("records"):
        assert rules_met(rows, names, gap) == []
    for overlap in found.overlaps.to_dict("records"):
        assert {overlap["first"], overlap["second"]} <= set(rules_met(rows, names, overlap))
    reached = {numbers[0] for numbers in met if numbers}
    unreachable = found.redundant.loc[found.redundant["kind"] == "unreachable", "rule"]
    assert set(unreachable) == set(range(1, len(rows) + 1)) - reached

    expected = [rows[numbers[0] - 1]["grade"] if numbers else None for numbers in met]
    grades = table.grade(CUSTOMERS, faults="missing").astype(object)
    assert grades.where(grades.notna(), None).tolist() == expected
    simpler = table.simplified()
    assert len(simpler.rules) <= len(rows)
    pd.testing.assert_series_equal(simpler.grade(CUSTOMERS, faults="missing").astype(object), grades, check_names=False)


@settings(max_examples=60, deadline=None)
@given(tables, st.sets(st.integers(0, 2), min_size=1, max_size=2))
def test_a_missing_value_leaves_a_grade_only_if_no_value_could_change_the_rule(
    rows: list[dict[str, object]], unknown: set[int]
) -> None:
    names = ["k", "x", "y"]
    table = DecisionTable(rows, inputs=INPUTS, hit="first")
    customers = CUSTOMERS.iloc[::17].astype(object)
    for number in unknown:
        customers[names[number]] = None
    decided = table.decide(customers, faults="missing")
    possible = [
        list("abc") if 0 in unknown else None,
        POINTS if 1 in unknown else None,
        POINTS if 2 in unknown else None,
    ]
    for place, customer in zip(decided.rule, customers.to_dict("records"), strict=True):
        filled = itertools.product(*(p or [customer[name]] for name, p in zip(names, possible, strict=True)))
        first = {(rules_met(rows, names, dict(zip(names, values, strict=True))) or [0])[0] for values in filled}
        if place >= 0:
            assert first == {place + 1}
        elif place == -1:
            assert first == {0}


def test_many_inputs_and_rules_are_proved_without_going_through_every_combination() -> None:
    # 12 inputs of 8 cells each: 8 ** 12 = 68,719,476,736 combinations.
    rows = [{f"x{i}": f">= {1 + n % 7}" if i == n % 12 else "-" for i in range(12)} | {"grade": n} for n in range(60)]
    inputs = {f"x{i}": {"type": "count", "domain": "0-7"} for i in range(12)}
    grid = [{f"x{i}": str(v) if i == 0 else "-" for i in range(12)} | {"grade": v} for v in range(8)]
    assert DecisionTable(grid, inputs=inputs).check().complete
    found = DecisionTable(rows, inputs=inputs, hit="first").check()
    gap = found.gaps.iloc[0]
    names = [f"x{i}" for i in range(12)]
    assert [n for n, row in enumerate(rows) if all(meets(row[name], float(gap[name])) for name in names)] == []


# ------------------------------------------------------------------------------------------------ reading cells


@pytest.mark.parametrize(
    ("cell", "column", "message"),
    [
        ("", "x", "'' is found; expected a condition. Write - if the rule does not ask about it."),
        ("[5, 3)", "x", "'[5, 3)' is found; expected an interval that holds a value. Put the lower end first, and "
         "close an end."),
        ("__import__('os')", "x", "\"__import__('os')\" is found; expected a number, >= 3, < 3, [3, 5), 3-5, 11+, "
         "several of them with | between, or - for any. Write the cell in one of these forms."),
        ("C", "k", "'C' is found; expected one of A, B. Correct the cell, or add the value to the input's values."),
    ],
)  # fmt: skip
def test_a_cell_that_cannot_be_read_is_named(cell: str, column: str, message: str) -> None:
    row = {"k": "A", "x": "1", "grade": 1, column: cell}
    with pytest.raises(InputError) as error:
        DecisionTable([row], inputs={"k": AB, "x": {"type": "number"}}, name="rules.yaml")
    assert str(error.value) == f"decision table, rule 1, column {column}: {message}"


def test_yaml_workbook_and_frame_are_one_table(tmp_path) -> None:
    rules = rubric("pipeline").rules
    book = tmp_path / "pipeline.xlsx"
    inputs = pd.DataFrame(
        {"input": ["need", "chance", "months_to_close"], "type": ["category", "category", "number"],
         "values": ["real|latent|none", "yes|no", ""], "domain": ["", "", ">= 0"], "unit": ["", "", "month"]}
    )  # fmt: skip
    with pd.ExcelWriter(book) as writer:
        rules.to_excel(writer, sheet_name="rules", index=False)
        inputs.to_excel(writer, sheet_name="inputs", index=False)
    read = DecisionTable(book)
    assert read.check().problems == []
    assert read.rules[list(rules.columns)].equals(rules)
    deals = pd.DataFrame({"need": ["real", "none"], "chance": ["yes", "no"], "months_to_close": [2.0, 1.0]})
    assert read.grade(deals).tolist() == rubric("pipeline").grade(deals).tolist() == ["B", "E"]
    declared = {"need": {"values": ["real", "latent", "none"]}, "chance": {"values": ["yes", "no"]}}
    from_frame = DecisionTable(rules, inputs={**declared, "months_to_close": MONTHS})
    assert from_frame.check().complete


def test_a_fault_in_a_workbook_is_told_by_file_and_row(tmp_path) -> None:
    book = tmp_path / "grades.xlsx"
    pd.DataFrame({"orders": ["< 3", "many"], "grade": ["B", "A"]}).to_excel(book, sheet_name="rules", index=False)
    with pytest.raises(InputError) as error:
        DecisionTable(book)
    assert str(error.value) == (
        "grades.xlsx, row 2, column orders: '< 3' is found; expected a numeric condition in every row of the column, "
        "or category names. Declare the input, or correct it."
    )


def test_a_domain_that_was_gathered_is_told() -> None:
    found = DecisionTable([{"need": "a", "grade": 1}, {"need": "b", "grade": 2}]).check()
    assert found.problems == [
        "The domain of need was gathered from the rules: a value that no rule names is not seen as a gap. "
        "Declare the inputs."
    ]


# ------------------------------------------------------------------------------------------------------ faults


def test_missing_values_and_values_outside_the_domain_are_named() -> None:
    deals = pd.DataFrame(
        {"need": ["real", "real", "maybe", "none"], "chance": "yes", "months_to_close": [None, -1.0, 2.0, None]},
        index=[10, 11, 12, 13],
    )
    with pytest.raises(InputError) as error:
        rubric("pipeline").grade(deals)
    assert str(error.value) == (
        "pipeline: need is 'maybe' in row 12; expected real|latent|none. Such values stand for 1 customer. "
        "pipeline: months_to_close is missing for 1 customer, first in row 10. "
        "pipeline: months_to_close is '-1' in row 11; expected >= 0 month. Such values stand for 1 customer. Correct "
        'the data or the rules, or leave these customers without a grade with faults="missing".'
    )
    graded = rubric("pipeline").grade(deals, faults="missing")
    assert graded.isna().tolist() == [True, True, True, False]
    assert graded.iloc[3] == "E", "nobody asks for the date where there is no need"
    assert len(graded.attrs["problems"]) == 3
    assert rubric("pipeline").explain(deals).tolist()[:2] == [
        "no grade because months_to_close is missing",
        "no grade because months_to_close is -1, expected >= 0 month",
    ]


def test_a_customer_in_a_gap_is_named_and_not_graded() -> None:
    table = DecisionTable([{"x": "< 1", "grade": "a"}, {"x": "> 1", "grade": "b"}])
    with pytest.raises(InputError, match=r"^decision table: 1 customer meets no rule, first row 1\. Correct"):
        table.grade(pd.DataFrame({"x": [0.0, 1.0]}))
    assert table.explain(pd.DataFrame({"x": [1.0]})).iloc[0] == "no grade because no rule takes x = 1"


def test_a_missing_column_is_named() -> None:
    with pytest.raises(InputError) as error:
        rubric("intent_capacity").grade(pd.DataFrame({"intent": ["high"]}))
    assert str(error.value) == (
        "intent_capacity: the table of customers has no column capacity; it has intent. Rename or add columns."
    )


def test_counts_are_whole_numbers() -> None:
    table = DecisionTable([{"n": "0-2", "grade": "a"}, {"n": "3+", "grade": "b"}], inputs={"n": {"type": "count"}})
    assert table.check().complete
    assert table.grade(pd.DataFrame({"n": [2, 2.5, 3]}), faults="missing").isna().tolist() == [False, True, False]


@pytest.mark.parametrize("kind", ["str", "object", "category"])
def test_categories_are_read_from_every_kind_of_column_in_both_languages(kind: str) -> None:
    frame = pd.DataFrame(
        {"intent": pd.Series(["high", "低"], dtype=kind), "capacity": pd.Series(["强", "weak"], dtype=kind)}
    )
    assert rubric("intent_capacity").grade(frame).tolist() == ["A", "E"]


def test_truths_are_yes_and_no() -> None:
    frame = pd.DataFrame({"need": "real", "chance": [True, False], "months_to_close": 1})
    assert rubric("pipeline").grade(frame).tolist() == ["A", "E"]


# ------------------------------------------------------------------------------------------- the course's rubrics


@pytest.mark.parametrize("name", RUBRICS)
def test_every_rubric_is_complete_and_disjoint(name: str) -> None:
    found = rubric(name).check()
    assert found.complete
    assert found.disjoint
    assert not len(found.units)
    repeated = found.redundant["kind"].tolist()
    assert repeated == (["mergeable"] if name == "property_buyers" else [])


def test_property_buyers_as_published() -> None:
    """Course row B6 by brute force over the 128 combinations of two conditions and five signals."""
    table = rubric("property_buyers")
    frame = pd.DataFrame(itertools.product("AB", repeat=7), columns=table.columns)

    def published(row: tuple[str, ...]) -> str:
        conditions, signals = row[:2].count("A"), row[2:].count("A")
        if conditions == 2:
            return "A" if signals == 5 else "B" if signals >= 3 else "C"
        if conditions == 1:
            return "C" if signals == 5 else "D"
        return "E"

    expected = [published(row) for row in frame.itertuples(index=False, name=None)]
    assert table.grade(frame).tolist() == expected
    assert table.simplified().grade(frame).tolist() == expected
    assert len(table.simplified().rules) == len(table.rules) - 1 == 6
    assert table.check().redundant["said"].tolist() == [
        "Rules 5 and 6 give the same and differ in signals only: they are one rule, signals: 0-4."
    ]


@pytest.mark.parametrize(
    ("months", "grade"), [(0, "A"), (1, "A"), (1.01, "B"), (3, "B"), (3.5, "C"), (6, "C"), (6.01, "D"), (24, "D")]
)
def test_pipeline_as_published(months: float, grade: str) -> None:
    """Course row B7."""
    deal = pd.DataFrame({"need": ["real"], "chance": ["yes"], "months_to_close": [months]})
    assert rubric("pipeline").grade(deal).tolist() == [grade]


def test_bank_grid_as_published() -> None:
    """Course row A2."""
    frame = pd.DataFrame({"contribution": ["high", "low", "high", "low"], "risk": ["low", "low", "high", "high"]})
    assert rubric("bank_risk").grade(frame).tolist() == ["top", "potential", "middle", "low-end"]
    assert rubric("bank_risk").about["zh"].tolist() == ["高端", "潜力", "中端", "低端"]


def test_relational_customers_as_published() -> None:
    """Course row C8."""
    frame = pd.DataFrame(
        {"price_only": ["yes", "no", "no", "no"], "profit": [9.0, 9, 5, 5], "profit_rank": [1.0, 0.9, 0.5, 0.5],
         "trend": [1.0, -1, 0.2, -0.2]}
    )  # fmt: skip
    assert rubric("relational").grade(frame).tolist() == ["transactional", "keep", "raise share", "let go"]


def orders(rows: list[tuple[object, ...]], **options: object) -> Transactions:
    frame = pd.DataFrame(rows, columns=["customer_id", "date", "amount", "staff"])
    return Transactions(frame, keep=("staff",), **options)


def test_shop_rule_over_orders() -> None:
    """Course row B5: one purchase above 3,000, two consecutive ones, or potential."""
    t = orders([
        (1, "2025-01-01", 3000.0, "Li"),
        (2, "2025-01-01", 2000.0, "Li"), (2, "2025-01-01", 1500.0, "Li"),
        (3, "2025-01-01", 10.0, "Li"), (3, "2025-01-31", 10.0, "Li"),
        (4, "2025-01-01", 10.0, "Li"), (4, "2025-02-01", 10.0, "Li"),
        (5, "2025-01-01", 10.0, "Li"),
    ])  # fmt: skip
    measures = order_measures(t).assign(potential=["no", "no", "no", "no", "yes"])
    assert measures["largest_purchase"].tolist() == [3000, 3500, 10, 10, 10], "lines of one day are one purchase"
    assert measures["consecutive_purchases"].tolist() == [1, 1, 2, 1, 1], "30 days apart, 31 days apart"
    graded = rubric("shop_customer").grade(measures)
    assert graded.tolist() == ["passer-by", "customer", "customer", "passer-by", "customer"]


def test_staff_bonus_over_orders() -> None:
    """Course row B5, added up by hand."""
    li = [(n, f"2025-0{m}-01", 3500.0, "Li") for n in range(1, 11) for m in (1, 2, 3)]
    wang = [(50, "2025-05-01", 80000.0, "Wang"), (50, "2026-02-01", 50000.0, "Li")]
    claims = bonus_claims(orders(li + wang))
    claims["bonus"] = rubric("staff_bonus").grade(claims).astype(int)
    paid = claims.groupby(["year", "staff", "claim"])["bonus"].sum().to_dict()
    # Li: ten customers with three purchases of 10,500 each (10 × 200); ten developed, 105,000 together (500).
    # Wang: one customer with 80,000 in 2025 (500) and 50,000 in 2026 (200), whoever sells to them then.
    assert paid == {
        (2025, "Li", "customer_year"): 0, (2025, "Li", "staff_year"): 500, (2025, "Li", "three_purchases"): 2000,
        (2025, "Wang", "customer_year"): 500, (2025, "Wang", "staff_year"): 0, (2025, "Wang", "three_purchases"): 0,
        (2026, "Wang", "customer_year"): 200, (2026, "Wang", "three_purchases"): 0,
    }  # fmt: skip


def test_an_unknown_rubric_is_named() -> None:
    with pytest.raises(InputError, match=r"^rubric: there is no rubric 'bank'; expected one of bank_risk, car_buyers"):
        rubric("bank")


# -------------------------------------------------------------------------------------------- moving, explaining


def test_an_explanation_names_what_the_rule_asked() -> None:
    buyers = pd.DataFrame({"conditions": [2, 0], "signals": [3, 1]})
    assert rubric("property_buyers").explain(buyers).tolist() == [
        "grade B because conditions is 2 and signals is 3, which is in 3-4 (rule 2)",
        "grade E because conditions is 0 (rule 7)",
    ]


def test_outcomes_holds_all_that_follows() -> None:
    frame = pd.DataFrame({"present": ["high"], "future": ["low"]})
    assert rubric("present_future").outcomes(frame).iloc[0].tolist() == [
        "B",
        "serve well while it lasts",
        "维持服务，不再加码",
    ]


def test_a_moved_boundary_moves_in_every_rule_and_stays_between_its_neighbours() -> None:
    table = rubric("pipeline")
    assert table.boundaries("months_to_close") == [1, 3, 6]
    moved = table.moved("months_to_close", 3, 4)
    assert moved.rules["months_to_close"].tolist()[:4] == ["<= 1", "(1, 4]", "(4, 6]", "> 6"]
    assert moved.check().complete
    assert moved.check().disjoint
    with pytest.raises(InputError, match=r"cannot move to 7; expected a number between its neighbours 1 and 6"):
        table.moved("months_to_close", 3, 7)


def test_grading_does_not_change_the_frame_and_keeps_its_index() -> None:
    frame = pd.DataFrame({"intent": ["high"] * 3, "capacity": ["weak"] * 3}, index=["x", "y", "z"])
    before = frame.copy()
    graded = rubric("intent_capacity").grade(frame)
    pd.testing.assert_frame_equal(frame, before)
    assert graded.index.tolist() == ["x", "y", "z"]
    assert list(graded.cat.categories) == ["A", "B", "C", "D", "E"]


def test_a_table_too_large_for_a_list_of_combinations_grades_alike() -> None:
    rng = np.random.default_rng(0)
    names = [f"x{i}" for i in range(8)]
    rows = [{name: f"{i % 8}" if name == names[i % 8] else "-" for name in names} | {"grade": i} for i in range(64)]
    rows += [dict.fromkeys(names, f"> {i}") | {"grade": 100 + i} for i in range(7)] + [
        dict.fromkeys(names, "-") | {"grade": -1}
    ]
    table = DecisionTable(rows, inputs={name: {"type": "count"} for name in names}, hit="first")
    frame = pd.DataFrame(rng.integers(0, 12, (300, 8)), columns=names)
    expected = [rows[rules_met(rows, names, row)[0] - 1]["grade"] for row in frame.to_dict("records")]
    assert table.grade(frame).tolist() == expected


def test_an_explanation_gives_a_value_its_digits() -> None:
    """With six digits 9999.996 would be "10000, which is < 10000"."""
    table = DecisionTable([{"spend": "< 10000", "grade": "B"}, {"spend": ">= 10000", "grade": "A"}])
    assert table.explain(pd.DataFrame({"spend": [9999.996, 1234567.0]})).tolist() == [
        "grade B because spend is 9999.996, which is < 10000 (rule 1)",
        "grade A because spend is 1234567, which is >= 10000 (rule 2)",
    ]
    nullable = pd.DataFrame({"spend": pd.array([5, None], dtype="Int64")})
    assert table.explain(nullable).tolist()[1] == "no grade because spend is missing"


@pytest.mark.parametrize("column", [pd.to_datetime(["2024-01-01"]), pd.to_timedelta(["3D"]), ["much"]])
def test_a_date_is_no_number(column) -> None:
    table = DecisionTable([{"spend": "< 10000", "grade": "B"}, {"spend": ">= 10000", "grade": "A"}])
    with pytest.raises(InputError, match=r"decision table: spend is '[^']+' in row 0; expected a number\. Such values"):
        table.grade(pd.DataFrame({"spend": column}))


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (
            {"grades": ["A", "B"]},
            "card: grades are a list; expected a mapping of each grade, best first, to what is said about it.",
        ),
        ({"grades": {"A": "hello"}}, "card: grades say 'hello' about A; expected keys such as en, zh, action_en."),
        ({"notes": "hello"}, "card: notes are a str; expected a mapping of en and zh to lists of sentences."),
    ],
)
def test_what_is_said_about_grades_has_a_form(keys: dict[str, object], text: str) -> None:
    with pytest.raises(InputError) as error:
        DecisionTable({"name": "card", "rules": [{"x": "-", "grade": "A"}], **keys})
    assert str(error.value) == text


def test_a_workbook_cut_short_is_named(tmp_path) -> None:
    whole, part = tmp_path / "whole.xlsx", tmp_path / "part.xlsx"
    pd.DataFrame([{"x": "-", "grade": "A"}]).to_excel(whole, index=False)
    part.write_bytes(whole.read_bytes()[:1000])
    with pytest.raises(InputError, match=r"^part\.xlsx: cannot be read as a workbook"):
        DecisionTable(part)


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17, which is not installed here")
@pytest.mark.skipif(find_spec("pyspark") is None, reason="Spark needs the extra: pip install 'crmlab[spark]'")
# The sockets between Python and Java are closed by the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_measures_over_orders_are_the_same_on_spark() -> None:
    rng = np.random.default_rng(5)
    customer, day = rng.integers(0, 40, 300), rng.integers(0, 500, 300)
    frame = pd.DataFrame({
        "customer_id": customer, "date": pd.Timestamp("2025-01-01") + pd.to_timedelta(day, unit="D"),
        "amount": rng.integers(1, 9000, 300) / 4, "staff": np.where(customer % 3, "Li", "Wang"),
    })  # fmt: skip
    here, there = (Transactions(frame, keep=("staff",), engine=engine) for engine in ("duckdb", "spark"))
    pd.testing.assert_frame_equal(order_measures(here), order_measures(there), rtol=1e-9)
    pd.testing.assert_frame_equal(bonus_claims(here), bonus_claims(there), rtol=1e-9)
