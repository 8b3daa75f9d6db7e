"""The ring of the queue: a share of a circle, drawn as a dash on a path of length 100."""

from dataclasses import dataclass
from typing import Literal

from api.console.drawings.described import placed


@dataclass(frozen=True, slots=True)
class Ring:
    """Hold a ring: the length of its dash and of the gap after it, in hundredths, and how it is to be read."""

    dash: float
    gap: float
    percent: int
    tone: Literal["pos", "mid", "neg"]


def ring(share: float, *, review_share: float = 0.6, match_share: float = 0.9) -> Ring:
    """Draw a share from 0 to 1; below `review_share` it speaks against, from `match_share` for.

    A ring that is not quite full is not drawn full, and says 99: only certainty says 100.
    """
    share = min(max(share, 0.0), 1.0)
    percent = round(100 * share)
    if 0 < share < 1:
        percent = min(max(percent, 1), 99)
    tone: Literal["pos", "mid", "neg"] = "pos" if share >= match_share else "neg" if share < review_share else "mid"
    return Ring(placed(100 * share), placed(100 - 100 * share), percent, tone)
