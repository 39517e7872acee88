"""Boxes of combinations: what a rule takes, what rules leave over, where two meet (the prover).

A box is a tuple of bit masks, one per input: the combinations whose cell on every input is in the mask. Boxes are split
only where a rule cuts them, so tables with many inputs are proved without going through every combination.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import prod

Box = tuple[int, ...]


def meet(first: Box, second: Box) -> Box | None:
    """The combinations in both boxes; None if there is none.

    Examples
    --------
    >>> meet((0b011, 0b1), (0b110, 0b1)), meet((0b01,), (0b10,))
    ((2, 1), None)
    """
    both = tuple(a & b for a, b in zip(first, second, strict=True))
    return both if all(both) else None


def volume(box: Box) -> int:
    """Number of combinations in a box."""
    return prod(mask.bit_count() for mask in box)


def minus(box: Box, taken: Box) -> Iterator[Box]:
    """Disjoint boxes that hold what is in the first box and not in the second.

    Examples
    --------
    >>> list(minus((0b11, 0b11), (0b01, 0b01)))
    [(2, 3), (1, 2)]
    """
    shared = meet(box, taken)
    if shared is None:
        yield box
        return
    for place, mask in enumerate(box):
        if rest := mask & ~shared[place]:
            yield (*shared[:place], rest, *box[place + 1 :])


def uncovered(box: Box, rules: Sequence[Box]) -> Iterator[Box]:
    """Disjoint boxes that hold what is in the box and in none of the rules, found one at a time.

    Examples
    --------
    >>> list(uncovered((0b11, 0b11), [(0b01, 0b11), (0b11, 0b01)]))
    [(2, 2)]
    """
    relevant = [part for rule in rules if (part := meet(box, rule)) is not None]
    if not relevant:
        yield box
        return
    largest = max(relevant, key=volume)
    relevant.remove(largest)
    for rest in minus(box, largest):
        yield from uncovered(rest, relevant)


def falls_to(box: Box, rules: Sequence[Box]) -> Iterator[tuple[Box, int | None]]:
    """Which rule takes each part of a box first: (part, number of the rule), or None where no rule does."""
    for number, rule in enumerate(rules):
        shared = meet(box, rule)
        if shared is not None:
            yield shared, number
            for rest in minus(box, rule):
                for part, later in falls_to(rest, rules[number + 1 :]):
                    yield part, None if later is None else number + 1 + later
            return
    yield box, None
