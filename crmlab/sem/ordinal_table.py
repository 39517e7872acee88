"""The parameter table of a model of ordinal items: thresholds (`|`) and scales (`~*~`) beside the rows of `matrices`.

Categories know no unit and no origin, so that some rows are conventions: intercepts of ordinal items are 0, and either
their scales ("delta") or their residual variances ("theta") are 1. With equal thresholds the first group alone keeps
the convention.

References
----------
Millsap, R. E. & Yun-Tein, J. (2004). Assessing factorial invariance in ordered-categorical measures. Multivariate
Behavioral Research 39, 479–515.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from .errors import ModelError, SemError
from .matrices import Defaults, Parameter, parameter_table
from .moments import Array
from .ordinal_sample import OrdinalSample
from .syntax import Model


def ordinal_table(
    model: Model,
    defaults: Defaults,
    samples: Sequence[OrdinalSample],
    parameterization: str,
) -> list[Parameter]:
    """The parameter table with thresholds (`|`) and scales (`~*~`), in lavaan's order.

    What is written, thresholds, variances and covariances, scales, intercepts. Ordinal items have intercept 0; their
    residual variance is fixed in the table (at 1; under delta it follows from the rest). Thresholds are the intercepts
    of ordinal items: where these are equal in all groups, later groups are free in their scales (delta), residual
    variances (theta) and latent means.
    """
    equal_thresholds = "intercepts" in defaults.group_equal
    table = []
    for group, sample in enumerate(samples):
        rows = [row for row in parameter_table(model, defaults, ordinal=True) if row.group == group]
        thresholds = sample.moments.thresholds
        freed = equal_thresholds and group > 0
        if freed and "means" not in defaults.group_equal:
            latent = set(model.constructs)
            rows = [replace(r, fixed=None) if r.op == "~1" and r.lhs in latent and not r.user else r for r in rows]
        free_residual = freed and parameterization == "theta" and "residuals" not in defaults.group_equal
        rows = [_without_unit(r, thresholds, free_residual) for r in rows]
        cuts = {
            cut.key: cut for cut in _thresholds(samples[0] if equal_thresholds else sample, group, equal_thresholds)
        }
        written = [_completed_cut(r, cuts, model) if r.op == "|" else r for r in rows if r.user]
        known = {r.key for r in written}
        covariances = [r for r in rows if not r.user and r.op != "~1"]
        means = [r for r in rows if not r.user and r.op == "~1"]
        free_scale = freed and parameterization == "delta"
        scales = [
            Parameter(name, "~*~", name, group, None if free_scale else 1.0, start=1.0 if free_scale else None)
            for name in thresholds
        ]
        added = [r for r in (*cuts.values(), *covariances, *scales) if r.key not in known]
        table += [*(_checked_scale(r, parameterization) for r in written), *added, *means]
    return table


def _completed_cut(row: Parameter, cuts: Mapping[tuple[str, str, str, int], Parameter], model: Model) -> Parameter:
    """A written threshold with the start, and unless it says otherwise the label, of the one that is added else."""
    usual = cuts.get(row.key)
    if usual is None:
        term = next(t for t in model.terms if (t.lhs, t.op, t.rhs) == (row.lhs, row.op, row.rhs))
        number = sum(lhs == row.lhs for lhs, _, _, _ in cuts)
        raise ModelError(f"{term.written}: {row.lhs} has {number} thresholds", term.line, term.column)
    label = usual.label if row.label is None and row.fixed is None else row.label
    return replace(row, label=label, start=usual.start if row.start is None else row.start)


def _checked_scale(row: Parameter, parameterization: str) -> Parameter:
    if row.op != "~*~":
        return row
    if parameterization == "theta":
        raise SemError(f"{row.lhs} ~*~ {row.lhs}: under theta scales follow from the residual variances")
    return row if row.fixed is not None or row.start is not None else replace(row, start=1.0)


def _without_unit(row: Parameter, thresholds: Mapping[str, Array], free_residual: bool) -> Parameter:
    """An ordinal item has no intercept, and its residual variance is a convention."""
    if row.lhs not in thresholds:
        return row
    if row.op == "~1" and not row.user:
        return replace(row, fixed=0.0, label=None)
    if row.op == "~~" and row.lhs == row.rhs and not row.user:
        return replace(row, fixed=None if free_residual else 1.0, label=None, start=1.0 if free_residual else None)
    return row


def _thresholds(sample: OrdinalSample, group: int, equal: bool) -> Iterator[Parameter]:
    for name, cuts in sample.moments.thresholds.items():
        for k, cut in enumerate(cuts, start=1):
            label = f".{name}|t{k}" if equal else None
            yield Parameter(name, "|", f"t{k}", group, label=label, start=float(cut))
