"""The percentages on the edges of a graph: each at a free place on its edge, none over a record or another one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from api.console.drawings.described import placed

TAGS_MAX: Final = 14  # chosen: more hide the picture; all figures stand in the table
PLAIN_TAGS_MAX: Final = 9  # chosen: of more links inside a golden record, only the weakest say how weak
WEAKEST: Final = 3
WIDTH: Final = 28.0
HEIGHT: Final = 17.0
# Places on an edge that are tried, from the middle outwards.
_PLACES: Final = (0.5, 0.42, 0.58, 0.34, 0.66, 0.28, 0.72)

# Both ends of an edge, the percentage, and how much it wants to be shown (0 most).
Wanted = tuple[float, float, float, float, int, int]


@dataclass(frozen=True, slots=True)
class Tag:
    """Hold a percentage and its middle; `rank` 0 belongs to a weak bridge."""

    x: float
    y: float
    percent: int
    rank: int


def tags(edges: Sequence[Wanted], spots: Mapping[str, tuple[float, float]], radius: float) -> tuple[Tag, ...]:
    """Place the tags of the edges that want them most; one without a free place is left out."""
    found: list[Tag] = []
    room = TAGS_MAX if sum(edge[5] == 2 for edge in edges) <= PLAIN_TAGS_MAX else WEAKEST
    for x1, y1, x2, y2, percent, rank in sorted(edges, key=lambda edge: (edge[5], edge[4])):
        if len(found) >= TAGS_MAX or (rank == 2 and len(found) >= room):
            break
        for share in _PLACES:
            x, y = x1 + share * (x2 - x1), y1 + share * (y2 - y1)
            if _is_free(x, y, found, spots, radius):
                found.append(Tag(placed(x), placed(y), percent, rank))
                break
    return tuple(found)


def _is_free(x: float, y: float, found: Sequence[Tag], spots: Mapping[str, tuple[float, float]], radius: float) -> bool:
    if any(abs(tag.x - x) < WIDTH + 2 and abs(tag.y - y) < HEIGHT + 2 for tag in found):
        return False
    return not any(
        abs(there[0] - x) < WIDTH / 2 + radius and abs(there[1] - y) < HEIGHT / 2 + radius for there in spots.values()
    )
