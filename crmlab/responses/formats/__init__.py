"""Whose export a survey file is, and which of its columns holds what: from a `RawTable` as found to one for `recode`.

`platforms` knows the marks of each survey tool and how many rows its header has, `spreadsheet` what people do to a
table by hand, `headers` what one header says, `columns` which columns hold personal data or times, `matching` which
column answers which item. Nothing is guessed silently: the format is stated with its evidence, a tie is an error, and
every column of the file stands in the matching table.
"""

from crmlab.responses.formats.platforms import FORMATS
from crmlab.responses.formats.recogniser import recognise

__all__ = ["FORMATS", "recognise"]
