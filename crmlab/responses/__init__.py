"""Reading, recoding and checking the answers of a survey (chapter 6): a CSV, XLSX or SPSS file becomes numbers.

`files` turns a source into a `RawTable` (`table`), columns as found; `formats` tells whose export it is and puts the
questionnaire's names over its columns; `recoding` turns every distinct value of a column into a number on the item's
scale, knowing from `cells` what one cell can say; `findings` tells what does not fit, cell by cell and in sentences;
`result` is what comes out, its numbers held small in `answers`; `quality` looks for answers given without care.
"""

from crmlab.responses.files import read_table
from crmlab.responses.formats import FORMATS, recognise
from crmlab.responses.recoding import read_responses, recode
from crmlab.responses.result import Responses
from crmlab.responses.table import RawTable

__all__ = ["FORMATS", "RawTable", "Responses", "read_responses", "read_table", "recode", "recognise"]
