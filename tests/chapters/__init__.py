"""What each chapter must have found, one module a chapter.

`GRID` lists parameters to run it with, `holds(found, parameters)` is true of every run, `as_published(found)` of the
committed one.
"""
