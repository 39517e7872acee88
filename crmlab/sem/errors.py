"""Errors of the latent-variable engine: what was found, where, and what to do."""


class SemError(ValueError):
    """A model, a table or an option that the engine cannot work with."""


class ModelError(SemError):
    """A fault in the text of a model, with its place.

    Parameters
    ----------
    message : str
        What was found and what was expected.
    line, column : int, optional
        Position in the text, both counted from 1.
    """

    def __init__(self, message: str, line: int | None = None, column: int | None = None):
        place = "" if line is None else f"line {line}" + ("" if column is None else f", column {column}") + ": "
        super().__init__(f"model, {place}{message}" if place else f"model: {message}")
        self.line, self.column = line, column
