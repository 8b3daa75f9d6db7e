"""Says where two values differ and whether it counts, as the matcher would.

`differences` goes by words: names, addresses, sentences. `code_differences` goes by position: tax numbers, ids,
phones. Each takes both texts with their compare forms and gives both back in segments; the texts of the segments put
together are the text, to the character, and no segment ends inside a letter. Words that are in the text and not in
the compare form (a legal form, an academic title) are ignored; words that the form writes differently (St, Street)
are compared as the form writes them. `column_differences` does it for more than two.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Final

from rapidfuzz.distance import Levenshtein

from api.console.views.alignment import Span, aligned, alike, moved
from api.console.views.codes import code_differences
from api.console.views.folding import Token, folded, tokens
from api.console.views.segments import Kind, Segment, Value, segments

__all__ = ["Columns", "Segment", "Value", "code_differences", "column_differences", "differences"]

Pair = tuple[tuple[Segment, ...], tuple[Segment, ...]]
Compare = Callable[[Value, Value], Pair]

WHOLE_SHARE: Final = 0.25  # chosen: below it, one tint reads better than shreds
WORD_LENGTH_MAX: Final = 400  # chosen: longer words are compared as wholes


@dataclass(frozen=True, slots=True)
class Columns:
    """Hold the segments of several values, and which of them the others were compared with (None: all are missing)."""

    columns: tuple[tuple[Segment, ...], ...]
    reference: int | None


def differences(left: Value, right: Value) -> Pair:
    """Compare two texts word by word, and like words letter by letter."""
    if left.text == right.text or not left.text or not right.text:
        return segments([(left.text, "same")]), segments([(right.text, "same")])
    ours, theirs = _Side(left.text), _Side(right.text)
    if _reads_alike(left, right):
        _compare(ours, theirs, "ignored")
        return ours.cut(), theirs.cut()
    ours.take_form(left.form)
    theirs.take_form(right.form)
    _compare(ours, theirs, "substantive")
    if max(ours.agreed_share(), theirs.agreed_share()) < WHOLE_SHARE:
        return segments([(left.text, "whole")]), segments([(right.text, "whole")])
    return ours.cut(), theirs.cut()


def column_differences(values: Sequence[Value | None], compare: Compare = differences) -> Columns:
    """Compare several values with the one that most of them agree with; where none do, with the first.

    Two values are both marked. Of more, the reference itself stays plain, and whoever departs from it is marked.
    """
    found = {place: value for place, value in enumerate(values) if value is not None and value.text}
    columns: list[tuple[Segment, ...]] = [()] * len(values)
    if not found:
        return Columns(tuple(columns), None)
    reference = _reference(found) if len(found) > 2 else min(found)
    columns[reference] = segments([(found[reference].text, "same")])
    for place, value in found.items():
        if place != reference:
            seen_from_reference, columns[place] = compare(found[reference], value)
            if len(found) == 2:
                columns[reference] = seen_from_reference
    return Columns(tuple(columns), reference)


def _reference(found: Mapping[int, Value]) -> int:
    """Choose the place of the value that most agree with, the first of several."""
    forms = {place: _form_of(value) for place, value in found.items()}
    agreed = Counter(forms.values())
    return max(found, key=lambda place: (agreed[forms[place]], -place))


def _form_of(value: Value) -> str:
    return value.form or folded(value.text)


def _reads_alike(left: Value, right: Value) -> bool:
    """Tell whether the matcher sees no difference at all."""
    if left.form and right.form:
        return left.form == right.form
    return folded(left.text) == folded(right.text) != ""


class _Side:
    """One side while it is compared.

    tokens  words and the signs between them, as written
    words   where in `tokens` the words stand that count; those that the form leaves out do not
    kinds   for each word that counts, the kinds of its letters
    match   for each word that counts, the word of the other side it was compared with
    other   the signs between words, by the words around them, of the other side
    """

    def __init__(self, text: str) -> None:
        self.tokens = list(tokens(text))
        self.words = [place for place, token in enumerate(self.tokens) if token.key]
        self.kinds: list[list[Kind]] = []
        self.match: dict[int, int] = {}
        self.other: dict[tuple[int, int], str] = {}

    def word(self, index: int) -> Token:
        """Give the word at a place among those that count."""
        return self.tokens[self.words[index]]

    def keys(self, span: Span | None = None) -> list[str]:
        """Give the keys of the words that count, of all or of a span."""
        start, end = span or (0, len(self.words))
        return [self.word(index).key for index in range(start, end)]

    def take_form(self, form: str) -> None:
        """Give each word the key that its compare form gives it; a word that the form leaves out counts no more."""
        if not form:
            return
        left_over = Counter(form.split())
        unsettled = []
        for place in self.words:
            key = self.tokens[place].key
            if left_over[key] > 0:
                left_over[key] -= 1
            else:
                unsettled.append(place)
        formed = list(left_over.elements())
        if len(unsettled) == len(formed):
            pairs = [(index, index) for index in range(len(formed))]
        else:
            pairs = alike([self.tokens[place].key for place in unsettled], formed)
        keys = {unsettled[here]: formed[there] for here, there in pairs}
        for place in unsettled:
            self.tokens[place] = replace(self.tokens[place], key=keys.get(place, ""))
        counting = [place for place in self.words if self.tokens[place].key]
        self.words = counting or self.words

    def left_over(self) -> list[int]:
        """Give the words that count and were compared with none, nor found to be cut otherwise on the other side."""
        return [
            index
            for index in range(len(self.words))
            if index not in self.match and "ignored" not in self.kinds[index][:1]
        ]

    def between(self) -> dict[tuple[int, int], str]:
        """Give what stands before the first word, between any two, and after the last, by the words around it."""
        edges = [-1, *self.words, len(self.tokens)]
        return {
            (index - 1, index): "".join(token.text for token in self.tokens[edges[index] + 1 : edges[index + 1]])
            for index in range(len(edges) - 1)
        }

    def agreed_share(self) -> float:
        """Give the share of letters of the words that count that the other side has too."""
        kinds = [kind for word in self.kinds for kind in word]
        return sum(kind != "substantive" for kind in kinds) / len(kinds) if kinds else 0.0

    def cut(self) -> tuple[Segment, ...]:
        """Cut the text into its segments."""
        parts: list[tuple[str, Kind]] = []
        for (before, after), text in self.between().items():
            signs = text.strip()
            start = text.find(signs)
            kind = self._kind_between(before, after, text)
            parts += [(text[:start], "same"), (signs, kind), (text[start + len(signs) :], "same")]
            if after < len(self.words):
                parts += zip(self.word(after).parts, self.kinds[after], strict=True)
        return segments(parts)

    def _kind_between(self, before: int, after: int, text: str) -> Kind:
        facing = (-1 if before < 0 else self.match.get(before, -2), self.match.get(after, -2))
        return "same" if self.other.get(facing) == text else "ignored"


def _compare(ours: _Side, theirs: _Side, differing: Kind) -> None:
    """Line up the words of both sides by their keys, look into what lies between, note the kinds of all letters."""
    ours.kinds = [[differing] * len(ours.word(index).parts) for index in range(len(ours.words))]
    theirs.kinds = [[differing] * len(theirs.word(index).parts) for index in range(len(theirs.words))]
    found = aligned(ours.keys(), theirs.keys())
    for here, there in found.equal:
        _meet(ours, theirs, here, there)
        ours.kinds[here], theirs.kinds[there] = _kinds_of_one_word(ours.word(here), theirs.word(there))
    for our_span, their_span in found.gaps:
        _compare_gap(ours, theirs, our_span, their_span, differing)
    _compare_moved(ours, theirs, differing)
    _meet(ours, theirs, len(ours.words), len(theirs.words))
    ours.other, theirs.other = theirs.between(), ours.between()


def _meet(ours: _Side, theirs: _Side, here: int, there: int) -> None:
    ours.match[here] = there
    theirs.match[there] = here


def _compare_gap(ours: _Side, theirs: _Side, our_span: Span, their_span: Span, differing: Kind) -> None:
    """Compare words that have no equal in order: the same letters cut into other words, or words that are alike."""
    our_keys, their_keys = ours.keys(our_span), theirs.keys(their_span)
    if our_keys and "".join(our_keys) == "".join(their_keys):
        for side, span in ((ours, our_span), (theirs, their_span)):
            for index in range(*span):
                side.kinds[index] = ["ignored"] * len(side.kinds[index])
        return
    for first, second in alike(our_keys, their_keys):
        here, there = our_span[0] + first, their_span[0] + second
        _meet(ours, theirs, here, there)
        ours.kinds[here], theirs.kinds[there] = _kinds_of_like_words(ours.word(here), theirs.word(there), differing)


def _compare_moved(ours: _Side, theirs: _Side, differing: Kind) -> None:
    """Compare words that are left over with those that stand elsewhere: one that only moved is ignored."""
    here, there = ours.left_over(), theirs.left_over()
    for first, second in moved([ours.word(index).key for index in here], [theirs.word(index).key for index in there]):
        left, right = here[first], there[second]
        kinds = _kinds_of_like_words(ours.word(left), theirs.word(right), differing)
        ours.kinds[left], theirs.kinds[right] = _as_moved(kinds[0]), _as_moved(kinds[1])


def _as_moved(kinds: list[Kind]) -> list[Kind]:
    return ["ignored" if kind == "same" else kind for kind in kinds]


def _kinds_of_one_word(left: Token, right: Token) -> tuple[list[Kind], list[Kind]]:
    """Mark what is written differently in a word that is the same to the matcher; the whole word if most of it is."""
    if left.parts == right.parts:
        return ["same"] * len(left.parts), ["same"] * len(right.parts)
    if left.folds == right.folds:
        kinds: list[Kind] = ["same" if a == b else "ignored" for a, b in zip(left.parts, right.parts, strict=True)]
        if 2 * kinds.count("ignored") <= len(kinds):
            return kinds, list(kinds)
    return ["ignored"] * len(left.parts), ["ignored"] * len(right.parts)


def _kinds_of_like_words(left: Token, right: Token, differing: Kind) -> tuple[list[Kind], list[Kind]]:
    """Compare two words that are alike letter by letter."""
    ours, theirs = [differing] * len(left.parts), [differing] * len(right.parts)
    if max(len(ours), len(theirs)) > WORD_LENGTH_MAX:
        return ours, theirs
    here, there = _in_key(left), _in_key(right)
    for step in Levenshtein.opcodes([left.folds[place] for place in here], [right.folds[place] for place in there]):
        if step.tag == "equal":
            for first, second in zip(here[step.src_start : step.src_end], there[step.dest_start :], strict=False):
                kind: Kind = "same" if left.parts[first] == right.parts[second] else "ignored"
                ours[first] = theirs[second] = kind
    return _others_ignored(ours, left, here), _others_ignored(theirs, right, there)


def _in_key(word: Token) -> list[int]:
    """List the letters of a word that its compare form has: not a legal form written without a blank, nor a sign."""
    whole = "".join(word.folds)
    start = max(whole.find(word.key), 0)
    end = start + len(word.key) if word.key in whole else len(whole)
    ends = accumulate(len(fold) for fold in word.folds)
    places = enumerate(zip(word.folds, ends, strict=True))
    return [place for place, (fold, reached) in places if fold and start < reached and reached - len(fold) < end]


def _others_ignored(kinds: list[Kind], word: Token, places: list[int]) -> list[Kind]:
    counting = set(places)
    return [kinds[place] if place in counting else "ignored" for place in range(len(word.parts))]
