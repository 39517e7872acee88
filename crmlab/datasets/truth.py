"""What is known of a simulated survey: its population, and which rows were tampered with (chapter 9)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pandas as pd

from crmlab.datasets import population as pop
from crmlab.datasets.design import Array, Design


@dataclass(frozen=True, eq=False, repr=False)
class SurveyTruth:
    """The population a simulated survey was drawn from, and which rows were tampered with.

    Population values describe attentive respondents: careless and straight-lining rows are not part of the population.

    Attributes
    ----------
    measurement : str
        "composite" or "factor".
    points : int or None
        Scale points; None for continuous answers on the range 1–10.
    items : DataFrame, index "item"
        construct; mean and sd of the answers (exact, for ordinal answers from the category probabilities); min and max
        of the scale; loading (correlation of the uncut item with its construct); weight (population weight of PLS
        Mode A on uncut items: the composite's weight, or proportional to the loading under the factor model; scaled to
        a score of unit variance).
    paths : DataFrame
        from, to; path (standardised coefficient between constructs); plain_pls (what plain PLS converges to with
        continuous answers: the path itself under the composite model, attenuated under the factor model).
    effects : DataFrame
        from, to, direct, indirect, total: standardised.
    correlations : DataFrame
        Of the constructs.
    r_squared : Series, index "construct"
        Of the constructs that have predecessors.
    reliability : Series, index "construct"
        Squared correlation of the Mode A score with the construct, (w'λ)²: 1 under the composite model; what ρ_A
        estimates under the factor model.
    index : Series, index "construct"
        Population index, 0–100: unstandardised weights w/sd on the population means. With ordinal answers w remain
        the weights of the uncut items; means and sd are those of the answers. PLS on the answers converges to slightly
        other weights: for the course model its index is within 0.1 of this one on 5 points, 0.02 on 10.
    segments : DataFrame
        segment, share, construct, mean (of the construct, in standard deviations), index (with the pooled weights and
        sd). Empty without segments.
    thresholds : DataFrame, items × cuts
        In units of the standardised item; no columns for continuous answers.
    probabilities : DataFrame, items × scale points
        P(answer = point) in the population; no columns for continuous answers.
    scores : DataFrame
        The respondents' true construct values, rows as in the data.
    rows : DataFrame
        Rows as in the data: careless, straightlining (bool); duplicate ("id", "answers" or ""), original (the row a
        repeated row repeats, else its own number). A repeated row keeps the marks of its original.
    missing : DataFrame
        row, item, mechanism ("mcar" or "mar") of every missing answer.
    mar_on : str or None
        The item that decided which answers are missing at random.
    """

    measurement: str
    points: int | None
    items: pd.DataFrame
    paths: pd.DataFrame
    effects: pd.DataFrame
    correlations: pd.DataFrame
    r_squared: pd.Series
    reliability: pd.Series
    index: pd.Series
    segments: pd.DataFrame
    thresholds: pd.DataFrame
    probabilities: pd.DataFrame
    scores: pd.DataFrame
    rows: pd.DataFrame
    missing: pd.DataFrame
    mar_on: str | None
    _design: Design = field(repr=False)

    @property
    def loadings(self) -> pd.DataFrame:
        """construct, item, loading."""
        return self.items.reset_index()[["construct", "item", "loading"]]

    @property
    def weights(self) -> pd.DataFrame:
        """construct, item, weight."""
        return self.items.reset_index()[["construct", "item", "weight"]]

    @cached_property
    def covariance(self) -> pd.DataFrame:
        """Population covariance of the answers, items × items, in squared scale points.

        sd_k sd_l Σ_kl for continuous answers; for ordinal ones, ``population.ordinal_covariance`` within segments plus
        the covariance of the segments' means.
        """
        names = self.items.index
        return pd.DataFrame(_answer_covariance(self._design), index=names, columns=names)

    def __repr__(self) -> str:
        return f"SurveyTruth({self.measurement}, {len(self.items)} items, points={self.points})"


def describe(
    design: Design, scores: pd.DataFrame, rows: pd.DataFrame, missing: pd.DataFrame, mar_on: str | None
) -> SurveyTruth:
    """The truth of a survey drawn from ``design``: what befell single rows is passed in, all else follows from it."""
    constructs = pd.Index(design.constructs, name="construct")
    probabilities, mean, sd, segment_means = _answer_moments(design)
    items = pd.DataFrame(
        {
            "construct": design.owner,
            "mean": mean,
            "sd": sd,
            "min": design.scale[0],
            "max": design.scale[1],
            "loading": np.concatenate([block.loadings for block in design.blocks]),
            "weight": np.concatenate([block.weights for block in design.blocks]),
        },
        index=pd.Index(design.items, name="item"),
    )
    reliability = np.array([block.reliability for block in design.blocks])
    explained = pd.Series(design.r_squared, index=constructs, name="r_squared")
    return SurveyTruth(
        measurement=design.measurement,
        points=design.points,
        items=items,
        paths=_paths(design, reliability),
        effects=_effects(design),
        correlations=pd.DataFrame(design.correlations, index=constructs, columns=constructs),
        r_squared=explained[constructs.isin([effect for _, effect in design.paths])],
        reliability=pd.Series(reliability, index=constructs, name="reliability"),
        index=pd.Series(_index(design, mean, sd), index=constructs, name="index"),
        segments=_segment_table(design, segment_means, sd),
        thresholds=pd.DataFrame(design.thresholds, index=items.index, columns=range(1, design.thresholds.shape[1] + 1)),
        probabilities=pd.DataFrame(probabilities, index=items.index, columns=range(1, probabilities.shape[1] + 1)),
        scores=scores,
        rows=rows,
        missing=missing,
        mar_on=mar_on,
        _design=design,
    )


def _answer_moments(design: Design) -> tuple[Array, Array, Array, Array]:
    """Category probabilities (K, points), mean and sd (K,) in the population, and means per segment (G, K)."""
    if design.points is None:
        return np.empty((len(design.items), 0)), design.mean, design.sd, design.mean + design.sd * design.item_means
    within = np.sqrt(np.diag(design.item_covariance))
    by_segment = [pop.category_probabilities(design.thresholds, mean, within) for mean in design.item_means]
    probabilities = np.tensordot(design.shares, by_segment, axes=1)
    mean, sd = pop.ordinal_moments(probabilities)
    return probabilities, mean, sd, np.array([pop.ordinal_moments(p)[0] for p in by_segment])


def _answer_covariance(design: Design) -> Array:
    if design.points is None:
        return np.outer(design.sd, design.sd) * pop.survey_covariance(design.blocks, design.correlations)
    _, mean, _, segment_means = _answer_moments(design)
    result = np.zeros((len(mean), len(mean)))
    for share, latent, observed in zip(design.shares, design.item_means, segment_means, strict=True):
        within = pop.ordinal_covariance(design.thresholds, design.item_covariance, latent)
        result += share * (within + np.outer(observed - mean, observed - mean))
    return result


def _index(design: Design, mean: Array, sd: Array) -> list[float]:
    """The 0–100 index of every construct at these item means, (J,)."""
    return [
        pop.satisfaction_index(block.weights, mean[columns], sd[columns], *design.scale)
        for block, columns in zip(design.blocks, design.columns, strict=True)
    ]


def _paths(design: Design, reliability: Array) -> pd.DataFrame:
    position = {name: j for j, name in enumerate(design.constructs)}
    causes, effects = zip(*design.paths, strict=True) if design.paths else ((), ())
    cause, effect = [position[name] for name in causes], [position[name] for name in effects]
    model = np.zeros(design.coefficients.shape, dtype=bool)
    model[effect, cause] = True
    plain = pop.attenuated_paths(model, design.correlations, reliability)
    values = {"path": design.coefficients[effect, cause], "plain_pls": plain[effect, cause]}
    return pd.DataFrame({"from": causes, "to": effects, **values})


def _effects(design: Design) -> pd.DataFrame:
    total = design.effects - np.eye(len(design.constructs))
    # The inverse behind the total effects leaves rounding noise where there is no effect.
    cause, effect = np.nonzero(np.abs(total.T) > 1e-12)
    names = np.array(design.constructs)
    direct, overall = design.coefficients[effect, cause], total[effect, cause]
    return pd.DataFrame(
        {"from": names[cause], "to": names[effect], "direct": direct, "indirect": overall - direct, "total": overall}
    )


def _segment_table(design: Design, segment_means: Array, sd: Array) -> pd.DataFrame:
    segments, constructs = len(design.segments), len(design.constructs)
    table = pd.DataFrame(
        {
            "segment": np.repeat(design.segments, constructs),
            "share": np.repeat(design.shares, constructs),
            "construct": np.tile(design.constructs, segments),
            "mean": design.segment_means.ravel(),
            "index": np.concatenate([_index(design, means, sd) for means in segment_means]),
        }
    )
    return table if segments > 1 else table.iloc[:0]
