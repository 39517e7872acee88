"""How chapters and exercises speak to a reader: rounded tables, described figures, recorded results, checked answers.

:func:`show` and :func:`figure` put a result on the page, :func:`record` writes a chapter's key numbers where a program
can read them, and :func:`check` answers a student's attempt at an exercise. No result of the course is computed here.
"""

from crmlab.teaching.answers import Mistake, Question, Verdict, check
from crmlab.teaching.contract import record, recorded
from crmlab.teaching.display import figure, show

__all__ = ["Mistake", "Question", "Verdict", "check", "figure", "record", "recorded", "show"]
