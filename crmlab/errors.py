"""The one error a user of crmlab should ever meet: input that cannot be used, told in one paragraph.

A message names what was found, where (file, row, column, value), what was expected, and what to do.
The command line prints it and ends with exit code 2; nothing is written.
"""


class InputError(ValueError):
    """A file, a value or an argument that cannot be used as it is.

    Examples
    --------
    >>> raise InputError("scale: item Q7 has 11 in row 18; the questionnaire says 1–10. Correct the file.")
    Traceback (most recent call last):
    crmlab.errors.InputError: scale: item Q7 has 11 in row 18; the questionnaire says 1–10. Correct the file.
    """
