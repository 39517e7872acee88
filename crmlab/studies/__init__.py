"""Studies: from two files to a folder with report, workbook, numbers and the notebook that made them.

:func:`run` executes a parameterised template and leaves the folder whole or not at all; :func:`check` says beforehand
whether a template understands its parameters. The templates themselves read with :func:`read_answers` and write with
:func:`write_study` or :func:`write_weights`.
"""

from crmlab.studies.csi_study import write_study
from crmlab.studies.runner import NotebookError, Parameter, check, parameters, run, template
from crmlab.studies.survey import read_answers
from crmlab.studies.weights_study import shown_method, write_weights

__all__ = [
    "NotebookError",
    "Parameter",
    "check",
    "parameters",
    "read_answers",
    "run",
    "shown_method",
    "template",
    "write_study",
    "write_weights",
]
