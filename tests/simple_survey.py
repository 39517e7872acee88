"""A small model and answers that follow it, for the tests of the engine."""

import numpy as np
import pandas as pd

MODEL = """
    Quality =~ q1 + q2 + q3
    Value =~ v1 + v2
    Satisfaction =~ s1 + s2 + s3
    Value ~ Quality
    Satisfaction ~ Quality + Value
"""


def survey(n=300, seed=5, noise=0.6):
    """Answers to eight items; Quality → Value 0.5, Quality and Value → Satisfaction 0.5 and 0.3."""
    rng = np.random.default_rng(seed)
    quality = rng.normal(size=n)
    value = 0.5 * quality + np.sqrt(0.75) * rng.normal(size=n)
    satisfaction = 0.5 * quality + 0.3 * value + 0.7 * rng.normal(size=n)
    latent = np.column_stack([quality] * 3 + [value] * 2 + [satisfaction] * 3)
    columns = ["q1", "q2", "q3", "v1", "v2", "s1", "s2", "s3"]
    return pd.DataFrame(latent + noise * rng.normal(size=latent.shape), columns=columns)
