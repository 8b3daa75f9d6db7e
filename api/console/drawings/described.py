"""The words of a drawing for those who do not see it: a title, a sentence, and the figures as a table.

Every drawing has one. The words come in the reader's language from whoever asks for the drawing.
"""

from dataclasses import dataclass
from typing import Final

# Classes for up to eight series; parts.css gives them colours that differ in light and dark and to the colour-blind.
TONES: Final = tuple(f"c{number}" for number in range(1, 9))


@dataclass(frozen=True, slots=True)
class Described:
    """Hold what is read out instead of a drawing; the first cell of each row names it."""

    title: str
    sentence: str
    head: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


def tone(number: int) -> str:
    """Give the class of a series by its number from 0; after eight they come round again."""
    return TONES[number % len(TONES)]


def placed(value: float) -> float:
    """Round a position for markup: two decimals are a fiftieth of a pixel; -0.0 becomes 0."""
    return round(value, 2) + 0.0
