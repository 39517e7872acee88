"""Reading, recoding and checking the answers of a survey (chapter 6): a CSV, XLSX or SPSS file becomes numbers.

`files` turns a source into a `RawTable`, columns as found; `recoding` turns every distinct value of a column into a
number on the item's scale, knowing from `cells` what one cell can say; `findings` tells what does not fit, cell by cell
and in sentences. A recogniser of some platform's style of export belongs between `read_table` and `recode`: it takes a
`RawTable` and returns one whose header holds the questionnaire's column names.
"""

from crmlab.responses.files import RawTable, read_table
from crmlab.responses.recoding import Responses, read_responses, recode

__all__ = ["RawTable", "Responses", "read_responses", "read_table", "recode"]
