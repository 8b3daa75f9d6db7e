"""Compares codes by position: tax numbers, registration numbers, ids, phones.

Two digits that changed places both show. What is not in the compare form (a trunk 0, a country's prefix, blanks and
signs) is ignored; where the two are written in another format, all that agrees is marked as ignored, none as same.
"""

from collections.abc import Sequence
from typing import Final

from rapidfuzz.distance import Levenshtein

from api.console.views.alignment import aligned
from api.console.views.folding import fold
from api.console.views.graphemes import letters
from api.console.views.segments import Kind, Segment, Value, segments

LETTERS_MAX: Final = 400  # chosen: longer codes are compared place by place alone
WHOLE_SHARE: Final = 0.55  # chosen: two codes that share less than this are two codes


def code_differences(left: Value, right: Value) -> tuple[tuple[Segment, ...], tuple[Segment, ...]]:
    """Compare two codes place by place; where one has more places, in the way with the fewest changes."""
    if left.text == right.text or not left.text or not right.text:
        return segments([(left.text, "same")]), segments([(right.text, "same")])
    ours, theirs = _Code(left), _Code(right)
    pairs = _paired(ours.signs, theirs.signs)
    longer = max(len(ours.signs), len(theirs.signs))
    if not pairs or len(pairs) < WHOLE_SHARE * longer:
        return segments([(left.text, "whole")]), segments([(right.text, "whole")])
    agrees: Kind = "same" if ours.reads_like(theirs, pairs) else "ignored"
    return ours.cut({here for here, _ in pairs}, agrees), theirs.cut({there for _, there in pairs}, agrees)


class _Code:
    """A code as it is written, with the signs of it that count.

    parts   the letters as written
    signs   what counts, in order
    places  for each of those, where in `parts` it is written, None where only the form has it
    """

    def __init__(self, value: Value) -> None:
        self.parts = letters(value.text)
        folds = [(place, sign) for place, letter in enumerate(self.parts) for sign in fold(letter)]
        self.signs = [sign for _, sign in folds]
        self.places: list[int | None] = [place for place, _ in folds]
        # The form of a tax number begins with the scheme it was read by, de-vat:de813992525.
        form = "".join(fold(letter) for letter in letters(value.form.rpartition(":")[2]))
        if form and form != "".join(self.signs) and max(len(form), len(folds)) <= LETTERS_MAX:
            equal = aligned(self.signs, form).equal
            if 2 * len(equal) >= len(folds):
                written = {there: folds[here][0] for here, there in equal}
                self.signs = list(form)
                self.places = [written.get(place) for place in range(len(form))]

    def reads_like(self, other: "_Code", pairs: Sequence[tuple[int, int]]) -> bool:
        """Tell whether both are written in one format: the same signs beside the pairs that agree."""
        return _format(self, {here for here, _ in pairs}) == _format(other, {there for _, there in pairs})

    def cut(self, agreeing: set[int], agrees: Kind) -> tuple[Segment, ...]:
        """Cut the text: what agrees, what differs, and what counts for nothing."""
        kinds: dict[int, Kind] = {}
        for index, place in enumerate(self.places):
            if place is not None and index not in agreeing:
                kinds[place] = "substantive"
            elif place is not None:
                kinds.setdefault(place, agrees)
        return segments(
            (part, kinds.get(place, agrees if not fold(part) else "ignored")) for place, part in enumerate(self.parts)
        )


def _format(code: _Code, agreeing: set[int]) -> str:
    """Write a code with every sign that differs replaced by one placeholder, and what is agreed as it stands."""
    differing = {place for index, place in enumerate(code.places) if index not in agreeing}
    return "".join("\x00" if place in differing else part for place, part in enumerate(code.parts))


def _paired(left: Sequence[str], right: Sequence[str]) -> list[tuple[int, int]]:
    """Pair the signs that agree: by place, unless moving along explains much more."""
    by_place = [(place, place) for place, (ours, theirs) in enumerate(zip(left, right, strict=False)) if ours == theirs]
    if max(len(left), len(right)) > LETTERS_MAX:
        return by_place
    differing = max(len(left), len(right)) - len(by_place)
    if len(left) == len(right) and differing <= 2 * Levenshtein.distance(left, right):
        return by_place
    return [
        pair
        for step in Levenshtein.opcodes(left, right)
        if step.tag == "equal"
        for pair in zip(range(step.src_start, step.src_end), range(step.dest_start, step.dest_end), strict=True)
    ]
