"""Studies: from files to a folder with report, tables, numbers and the notebook that made them.

:func:`run` executes a parameterised template and leaves the folder whole or not at all; :func:`check` says beforehand
whether a template understands its parameters, :func:`require` whether its input can be used. The templates themselves
read with :func:`read_answers` or :func:`read_orders`, and write with :func:`write_csi_study`,
:func:`write_weights_study` or :func:`write_rfm_study`.

:func:`new` makes a study folder to adapt, :class:`Study` reads one, :func:`run_study` runs it, and :func:`run_each`
runs it for many branches or waves and compares them.
"""

from crmlab.studies.batch import run_each
from crmlab.studies.comparison import Comparison
from crmlab.studies.comparison_report import write_comparison
from crmlab.studies.csi_study import write_csi_study
from crmlab.studies.inputs import read_survey, read_transactions, require, require_study
from crmlab.studies.rfm_study import read_orders, write_rfm_study
from crmlab.studies.runner import NotebookError, Parameter, check, parameters, run, template
from crmlab.studies.starting import new
from crmlab.studies.study import Study, run_study, settings
from crmlab.studies.survey import read_answers
from crmlab.studies.weights_study import shown_method, write_weights_study

__all__ = [
    "Comparison",
    "NotebookError",
    "Parameter",
    "Study",
    "check",
    "new",
    "parameters",
    "read_answers",
    "read_orders",
    "read_survey",
    "read_transactions",
    "require",
    "require_study",
    "run",
    "run_each",
    "run_study",
    "settings",
    "shown_method",
    "template",
    "write_comparison",
    "write_csi_study",
    "write_rfm_study",
    "write_weights_study",
]
