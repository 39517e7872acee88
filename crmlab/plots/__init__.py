"""Figures: one module per chapter module; functions take plain tables and return matplotlib Axes.

Every figure carries a title, axis names with units, and an alternative text that says what is seen (read it with
``style.alt``). Labels may be English or Chinese; the font for Chinese comes with the package. matplotlib is imported
when a figure is drawn, never before.
"""
