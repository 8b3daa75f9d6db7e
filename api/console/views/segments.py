"""What a compared value is cut into: stretches of text with a kind, and the small steps by which they are put together.

same         both sides say it
ignored      they write it differently, and the matcher does not mind: case, legal form, punctuation, format
substantive  they differ, and it counts
whole        the two have nothing to speak of in common; the one segment of a value
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from api.console.views.graphemes import letters

Kind = Literal["same", "ignored", "substantive", "whole"]
Part = tuple[str, Kind]

KINDS: Final[tuple[Kind, ...]] = ("same", "ignored", "substantive", "whole")


@dataclass(frozen=True, slots=True)
class Value:
    """Hold one side of a comparison: the text as its source wrote it, and what it is compared as.

    form  the compare form (of several, the one that was compared), "" where the matcher has none: then case, marks,
          script, punctuation and white space are set aside here, and no word is
    """

    text: str
    form: str = ""


@dataclass(frozen=True, slots=True)
class Segment:
    """Hold a stretch of a value and its kind."""

    text: str
    kind: Kind


def segments(parts: Iterable[Part]) -> tuple[Segment, ...]:
    """Join neighbouring parts of one kind; what stands between two differences and counts for nothing joins them."""
    found = [
        Segment("".join(text for text, _ in group), kind)
        for kind, group in groupby((part for part in parts if part[0]), key=lambda part: part[1])
    ]
    return tuple(_bridged(found))


def is_different(parts: Sequence[Segment]) -> bool:
    """Tell whether a value shows a difference that counts."""
    return any(segment.kind in {"substantive", "whole"} for segment in parts)


def windowed(parts: Sequence[Segment], letters_max: int) -> tuple[Segment, ...]:
    """Cut a long value to so many letters around its first difference; what is left out becomes "…" on that side."""
    places = [(letter, segment.kind) for segment in parts for letter in letters(segment.text)]
    if len(places) <= letters_max:
        return tuple(parts)
    first = next((place for place, (_, kind) in enumerate(places) if kind == "substantive"), 0)
    start = max(0, min(first - letters_max // 4, len(places) - letters_max)) if first > letters_max // 2 else 0
    end = min(start + letters_max, len(places))
    before: list[Part] = [("…", "same")] if start else []
    after: list[Part] = [("…", "same")] if end < len(places) else []
    return segments([*before, *places[start:end], *after])


def _bridged(found: Sequence[Segment]) -> list[Segment]:
    """Take signs between two differences, and blanks between two ignored parts, into them: one mark reads better."""
    joined: list[Segment] = []
    for place, segment in enumerate(found):
        before = joined[-1].kind if joined else "same"
        after = found[place + 1].kind if place + 1 < len(found) else "same"
        kind = before if before == after and _is_gap(segment.text, before) else segment.kind
        if joined and before == kind:
            joined[-1] = Segment(joined[-1].text + segment.text, kind)
        else:
            joined.append(Segment(segment.text, kind))
    return joined


def _is_gap(text: str, kind: Kind) -> bool:
    if kind == "ignored":
        return text.isspace()
    return kind == "substantive" and not any(character.isalnum() for character in text)
