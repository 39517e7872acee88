"""Where the boxes and arrows of a path diagram go, computed from the paths alone.

The construct the reader asks about, the hub, stands in the middle. To its left stand the constructs that lead to it,
in columns by their distance in arrows; to its right the constructs it leads to. Within a column, boxes change places
as long as that makes fewer arrows cross. An arrow that would run through a box is bent around it, and each number
finds the place on its own arrow where it hides nothing. Lengths are inches on paper, y pointing up. No drawing
happens here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import hypot

Point = tuple[float, float]
Edge = tuple[str, str]

COLUMN_GAP = 1.3
ROW_GAP = 0.6
#: Free space an arrow keeps from the boxes it passes.
CLEARANCE = 0.06
#: How far, in inches, the middle of an arrow may be pushed aside, tried in this order.
BENDS = (0.0, 0.35, -0.35, 0.7, -0.7, 1.05, -1.05, 1.4, -1.4, 2.0, -2.0)
#: Places on an arrow, from its tail (0) to its head (1), where its number may stand, tried in this order.
LABEL_PLACES = (0.5, 0.44, 0.56, 0.38, 0.62, 0.32, 0.68, 0.26, 0.74, 0.2, 0.8)


@dataclass(frozen=True)
class Box:
    """A rectangle by its centre, width and height."""

    x: float
    y: float
    width: float
    height: float

    def holds(self, point: Point, margin: float = 0.0) -> bool:
        """Say whether a point lies inside, or nearer to the border than ``margin``."""
        x, y = point
        return abs(x - self.x) < self.width / 2 + margin and abs(y - self.y) < self.height / 2 + margin

    def overlaps(self, other: Box) -> bool:
        """Say whether two rectangles share more than a border."""
        return (
            abs(self.x - other.x) < (self.width + other.width) / 2
            and abs(self.y - other.y) < (self.height + other.height) / 2
        )


@dataclass(frozen=True)
class Arrow:
    """A quadratic Bézier curve from one box to another, and the place of its number."""

    start: Point
    control: Point
    end: Point
    label: Point = (0.0, 0.0)

    def at(self, t: float) -> Point:
        """Return the point a share ``t`` (0–1) of the way."""
        a, b, c = (1 - t) ** 2, 2 * t * (1 - t), t**2
        return (
            a * self.start[0] + b * self.control[0] + c * self.end[0],
            a * self.start[1] + b * self.control[1] + c * self.end[1],
        )

    def points(self, n: int = 25) -> list[Point]:
        """Return ``n`` points along the curve, both ends included."""
        return [self.at(i / (n - 1)) for i in range(n)]


@dataclass(frozen=True)
class Layout:
    """Boxes by construct and arrows by (from, to)."""

    boxes: dict[str, Box]
    arrows: dict[Edge, Arrow]


def arrange(
    edges: Iterable[Edge], hub: str, *, box: tuple[float, float] = (1.4, 0.6), label: tuple[float, float] = (0.38, 0.19)
) -> Layout:
    """Place the boxes and arrows of a path model.

    Parameters
    ----------
    edges
        Pairs (from, to); the order of first mention decides between equally good orders.
    hub
        The construct in the middle; must occur in ``edges``.
    box
        Width and height of every box, in inches.
    label
        Width and height kept free for the number of an arrow, in inches.

    Returns
    -------
    Layout
        The same input gives the same layout.

    Raises
    ------
    ValueError
        If there are no edges or the hub is not among them.

    Examples
    --------
    >>> layout = arrange([("Quality", "Satisfaction"), ("Satisfaction", "Loyalty")], "Satisfaction")
    >>> [(name, round(place.x, 2), round(place.y, 2)) for name, place in layout.boxes.items()]
    [('Quality', 0.7, 0.3), ('Satisfaction', 3.4, 0.3), ('Loyalty', 6.1, 0.3)]
    """
    edges = list(dict.fromkeys(edges))
    if hub not in {name for edge in edges for name in edge}:
        raise ValueError(f"path diagram: {hub!r} is in none of the {len(edges)} paths; name a construct that is.")
    columns = _improve(_columns(edges, hub), edges, box)
    boxes = _boxes(columns, box)
    arrows = _arrows(boxes, columns, edges)
    return Layout(boxes, _with_labels(arrows, boxes, label))


def _columns(edges: Sequence[Edge], hub: str) -> list[list[str]]:
    """Group constructs by signed distance from the hub: those before it to the left, those after it to the right."""
    names = list(dict.fromkeys(name for edge in edges for name in edge))
    after = _distances(edges, hub)
    before = _distances([(b, a) for a, b in edges], hub)
    layer = {name: -before[name] if name in before else after.get(name, 0) for name in names}
    return [[name for name in names if layer[name] == k] for k in sorted(set(layer.values()))]


def _distances(edges: Sequence[Edge], start: str) -> dict[str, int]:
    found, frontier = {start: 0}, [start]
    while frontier:
        frontier = [b for a, b in edges if a in frontier and b not in found]
        found |= dict.fromkeys(frontier, max(found.values()) + 1)
    return found


def _boxes(columns: Sequence[Sequence[str]], size: tuple[float, float]) -> dict[str, Box]:
    width, height = size
    tallest = max(map(len, columns))
    total = tallest * height + (tallest - 1) * ROW_GAP
    return {
        name: Box(width / 2 + k * (width + COLUMN_GAP), _row(row, len(column), tallest, total, height), width, height)
        for k, column in enumerate(columns)
        for row, name in enumerate(column)
    }


def _row(row: int, n: int, tallest: int, total: float, height: float) -> float:
    """Centre of a row, counted from the top, in a column of ``n`` boxes spread over the height of the tallest."""
    if n == tallest:
        return total - height / 2 - row * (height + ROW_GAP)
    return total * (1 - (row + 0.5) / n)


def _improve(columns: list[list[str]], edges: Sequence[Edge], size: tuple[float, float]) -> list[list[str]]:
    """Swap boxes within columns as long as a swap lowers the cost; the first order mentioned wins ties."""
    best = _cost(columns, edges, size)
    improved = True
    while improved:
        improved = False
        for k, column in enumerate(columns):
            for i, j in combinations(range(len(column)), 2):
                swapped = list(column)
                swapped[i], swapped[j] = swapped[j], swapped[i]
                candidate = [*columns[:k], swapped, *columns[k + 1 :]]
                cost = _cost(candidate, edges, size)
                if cost < best - 1e-9:
                    best, columns, column, improved = cost, candidate, swapped, True
    return columns


def _cost(columns: Sequence[Sequence[str]], edges: Sequence[Edge], size: tuple[float, float]) -> float:
    """Weigh what disturbs a reader: a box run through, a bend, a crossing, an arrow upwards, length."""
    boxes = _boxes(columns, size)
    arrows = _arrows(boxes, columns, edges)
    hits = sum(_hits(arrow, edge, boxes) for edge, arrow in arrows.items())
    bends = sum(_bend(arrow) > 0.01 for arrow in arrows.values())
    crossings = sum(_cross(a, b) for a, b in combinations(arrows.values(), 2))
    upwards = sum(boxes[a].x == boxes[b].x and boxes[a].y < boxes[b].y for a, b in edges)
    length = sum(hypot(a.end[0] - a.start[0], a.end[1] - a.start[1]) for a in arrows.values())
    return 100 * hits + 3 * bends + 3 * crossings + 1 * upwards + 0.05 * length


def _arrows(boxes: Mapping[str, Box], columns: Sequence[Sequence[str]], edges: Sequence[Edge]) -> dict[Edge, Arrow]:
    sides = {edge: _sides(boxes, columns, edge) for edge in edges}
    ports = _ports(boxes, sides)
    return {edge: _route(ports[edge, 0], ports[edge, 1], edge, sides[edge], boxes) for edge in edges}


def _sides(boxes: Mapping[str, Box], columns: Sequence[Sequence[str]], edge: Edge) -> tuple[str, str]:
    """Name the sides an arrow leaves from and arrives at."""
    a, b = (boxes[name] for name in edge)
    if a.x != b.x:
        return ("right", "left") if a.x < b.x else ("left", "right")
    column = next(column for column in columns if edge[0] in column)
    if abs(column.index(edge[0]) - column.index(edge[1])) == 1:
        return ("bottom", "top") if a.y > b.y else ("top", "bottom")
    outer = "right" if a.x > min(box.x for box in boxes.values()) else "left"
    return outer, outer


def _ports(boxes: Mapping[str, Box], sides: Mapping[Edge, tuple[str, str]]) -> dict[tuple[Edge, int], Point]:
    """Spread the arrows that share a side of a box along it, in the order of where they come from or go to."""
    sharing: dict[tuple[str, str], list[tuple[Edge, int]]] = {}
    for edge, pair in sides.items():
        for end in (0, 1):
            sharing.setdefault((edge[end], pair[end]), []).append((edge, end))
    ports = {}
    for (name, side), users in sharing.items():
        box = boxes[name]
        users.sort(key=lambda user: _direction(box, boxes[user[0][1 - user[1]]]))
        for rank, user in enumerate(users):
            ports[user] = _on_side(box, side, (rank + 1) / (len(users) + 1))
    return ports


def _direction(box: Box, other: Box) -> float:
    """Steepness towards another box; boxes of the same column come first or last."""
    run = abs(other.x - box.x)
    return (other.y - box.y) / run if run else (other.y - box.y) * 1e3


def _on_side(box: Box, side: str, share: float) -> Point:
    """Return the point a share of the way along a side, from below upwards or from left to right."""
    if side in ("left", "right"):
        sign = 1 if side == "right" else -1
        return box.x + sign * box.width / 2, box.y + (share - 0.5) * box.height
    sign = 1 if side == "top" else -1
    return box.x + (share - 0.5) * box.width, box.y + sign * box.height / 2


def _route(start: Point, end: Point, edge: Edge, sides: tuple[str, str], boxes: Mapping[str, Box]) -> Arrow:
    """Draw the straight line, or the least bent curve that runs through the fewest boxes."""
    middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2)
    if sides[0] == sides[1]:
        outwards = (1 if sides[0] == "right" else -1) * (0.5 + 0.2 * abs(start[1] - end[1]))
        return Arrow(start, (middle[0] + outwards, middle[1]), end)
    run, rise = end[0] - start[0], end[1] - start[1]
    length = hypot(run, rise) or 1.0
    # The control point of a quadratic curve stands twice as far out as the curve itself.
    candidates = [
        Arrow(start, (middle[0] - 2 * bend * rise / length, middle[1] + 2 * bend * run / length), end) for bend in BENDS
    ]
    return min(candidates, key=lambda arrow: _hits(arrow, edge, boxes))


def _hits(arrow: Arrow, edge: Edge, boxes: Mapping[str, Box]) -> int:
    """Count the other boxes that an arrow runs through."""
    points = arrow.points()
    return sum(any(box.holds(point, CLEARANCE) for point in points) for name, box in boxes.items() if name not in edge)


def _bend(arrow: Arrow) -> float:
    """Distance of the middle of the curve from the middle of its chord."""
    x, y = arrow.at(0.5)
    return hypot(x - (arrow.start[0] + arrow.end[0]) / 2, y - (arrow.start[1] + arrow.end[1]) / 2)


def _cross(a: Arrow, b: Arrow) -> bool:
    return any(_segments_cross(*p, *q) for p in pairwise(a.points(9)) for q in pairwise(b.points(9)))


def _segments_cross(p: Point, q: Point, r: Point, s: Point) -> bool:
    def left(a: Point, b: Point, c: Point) -> bool:
        return (b[0] - a[0]) * (c[1] - a[1]) > (b[1] - a[1]) * (c[0] - a[0])

    return left(p, q, r) != left(p, q, s) and left(r, s, p) != left(r, s, q)


def _with_labels(
    arrows: Mapping[Edge, Arrow], boxes: Mapping[str, Box], size: tuple[float, float]
) -> dict[Edge, Arrow]:
    """Give each arrow the place for its number; short arrows, which have least choice, choose first."""
    by_length = sorted(arrows, key=lambda edge: hypot(*_span(arrows[edge])))
    taken: list[Box] = list(boxes.values())
    places: dict[Edge, Point] = {}
    for edge in by_length:
        others = [point for other in arrows if other != edge for point in arrows[other].points(60)]
        candidates = [arrows[edge].at(t) for t in LABEL_PLACES]
        clutter = [_clutter(_label_box(place, size), taken, others) for place in candidates]
        places[edge] = candidates[clutter.index(min(clutter))]
        taken.append(_label_box(places[edge], size))
    return {edge: Arrow(arrow.start, arrow.control, arrow.end, places[edge]) for edge, arrow in arrows.items()}


def _span(arrow: Arrow) -> Point:
    return arrow.end[0] - arrow.start[0], arrow.end[1] - arrow.start[1]


def _label_box(place: Point, size: tuple[float, float]) -> Box:
    return Box(place[0], place[1], size[0], size[1])


def _clutter(label: Box, taken: Sequence[Box], points: Sequence[Point]) -> int:
    """Count what a label would hide; a box or another label counts far more than a piece of an arrow."""
    return 100 * sum(label.overlaps(box) for box in taken) + sum(label.holds(point, 0.02) for point in points)
