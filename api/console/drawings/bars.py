"""Rows of stacked bars, such as records by source or reviews by age: widths in percent of the longest row."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from api.console.drawings.described import placed

WIDTH_MIN: Final = 0.6  # chosen: a part that is there is seen


@dataclass(frozen=True, slots=True)
class Part:
    """Hold a part of a row: its label, its number and the class of its colour."""

    label: str
    count: float
    tone: str


@dataclass(frozen=True, slots=True)
class Stretch:
    """Hold a part where it is drawn, in percent of the width."""

    label: str
    count: float
    tone: str
    left: float
    width: float


@dataclass(frozen=True, slots=True)
class Row:
    """Hold a row of parts, its sum, and where the last part ends."""

    label: str
    total: float
    stretches: tuple[Stretch, ...]
    end: float


def bars(rows: Sequence[tuple[str, Sequence[Part]]]) -> tuple[Row, ...]:
    """Lay out rows of parts on one axis from 0 to the largest sum; parts of nothing are left out."""
    assert all(part.count >= 0 for _, parts in rows for part in parts), "counts are never below 0"
    longest = max((sum(part.count for part in parts) for _, parts in rows), default=0.0)
    return tuple(_row(label, [part for part in parts if part.count], longest) for label, parts in rows)


def _row(label: str, parts: Sequence[Part], longest: float) -> Row:
    total = sum(part.count for part in parts)
    widths = [max(100 * part.count / longest, WIDTH_MIN) for part in parts]
    room = 100.0 if total == longest else min(100.0, max(sum(widths), 100 * total / longest if longest else 0.0))
    shrunk = _fitted(widths, room)
    stretches = []
    left = 0.0
    for part, width in zip(parts, shrunk, strict=True):
        stretches.append(Stretch(part.label, part.count, part.tone, placed(left), placed(width)))
        left += width
    return Row(label, total, tuple(stretches), placed(left))


def _fitted(widths: Sequence[float], room: float) -> list[float]:
    """Take what the smallest parts were given from the others, in proportion."""
    if sum(widths) <= room:
        return list(widths)
    spare = sum(width - WIDTH_MIN for width in widths)
    if spare <= 0:
        return [room / len(widths)] * len(widths)
    excess = sum(widths) - room
    return [width - excess * (width - WIDTH_MIN) / spare for width in widths]
