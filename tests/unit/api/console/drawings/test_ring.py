"""A ring is as full as its share, and says 100 for certainty alone."""

import pytest

from api.console.drawings.ring import ring


@pytest.mark.parametrize(
    ("share", "percent", "tone"),
    [
        (0.94, 94, "pos"),
        (0.84, 84, "mid"),
        (0.52, 52, "neg"),
        (0.9999, 99, "pos"),
        (1.0, 100, "pos"),
        (0.001, 1, "neg"),
        (-1, 0, "neg"),
    ],
)
def test_a_ring_says_its_share(share: float, percent: int, tone: str) -> None:
    drawn = ring(share)

    assert (drawn.percent, drawn.tone) == (percent, tone)
    assert drawn.dash + drawn.gap == pytest.approx(100)
