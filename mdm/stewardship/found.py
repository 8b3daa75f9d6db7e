"""Why a golden record answers a question: by which id, key, number or name, of which system. Pure.

Every record that may be shown is read once more in the light of the question, so that a hit names what the person has
before their eyes, and is none when only a record that they may not see answers.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from rapidfuzz import fuzz

from matching.standardise.text import fold, words
from mdm.entities.model import EntityType
from mdm.identity.model import GoldenState
from mdm.ids import GoldenId
from mdm.sources.model import SourceKey
from mdm.survivorship.search_question import Question
from mdm.survivorship.search_terms import (
    DOMAIN,
    EMAIL,
    PHONE,
    WORD,
    Sought,
    compare_names,
    country_of,
    sought_in,
    terms_of,
)

FoundBy = Literal["golden_id", "source_key", "number", "name", "beginning", "similar_name", "words"]

RANK: Final[Mapping[FoundBy, float]] = {
    "golden_id": 7.0,
    "source_key": 6.0,
    "number": 5.0,
    "name": 4.0,
    "beginning": 3.0,
    "similar_name": 2.0,
    "words": 1.0,
}
"""Order of reasons, best first; how like a name is adds up to 1 inside of a rank."""

REASONS_MAX: Final = 5  # chosen: what a line of a list can show


@dataclass(frozen=True, slots=True)
class Why:
    """One reason why a golden record was found.

    attribute    whose value it is; "" for an id or a key, "undeclared" for a column that no attribute claims
    shown        the id, the key or the value as its source writes it
    source_keys  the records that say so; none for an id
    is_gone      the record with this key was deleted in its source, or a steward took it out
    """

    by: FoundBy
    attribute: str
    shown: str
    source_keys: tuple[str, ...] = ()
    is_gone: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A golden record that answers a question.

    forwarded_from  the id that was asked for, where it leads on to this one
    state           retired where the id still resolves and holds nothing any more
    sources         source instances with a record of it, those that may be shown
    """

    golden_id: GoldenId
    entity_type: str
    name: str
    state: GoldenState
    rank: float
    reasons: tuple[Why, ...]
    sources: tuple[str, ...] = ()
    forwarded_from: GoldenId | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """A source record as the search reads it."""

    key: SourceKey
    values: Mapping[str, Any]
    undeclared: Mapping[str, Any] = field(default_factory=dict)


def reasons_of(
    entity_type: EntityType, question: Question, members: Iterable[Member], golden_values: Mapping[str, Any]
) -> tuple[float, tuple[Why, ...]]:
    """Tell why these records answer the question, best first, and how well; nothing when none of them does."""
    found: dict[tuple[FoundBy, str, str], tuple[float, list[str]]] = {}

    def note(by: FoundBy, attribute: str, shown: str, nearness: float, key: str | None) -> None:
        rank, keys = found.setdefault((by, attribute, shown), (RANK[by] + nearness, []))
        found[by, attribute, shown] = max(rank, RANK[by] + nearness), [*keys, key] if key else keys

    for member in members:
        printed = str(member.key)
        if by := _by_key(question, member.key):
            note(by, "", printed, 0.0, printed)
        for by, attribute, shown, nearness in _by_values(entity_type, question, member.values):
            note(by, attribute, shown, nearness, printed)
    for by, attribute, shown, nearness in _by_values(entity_type, question, golden_values):
        note(by, attribute, shown, nearness, None)
    if not found:
        found = _by_words(question, members, golden_values)
    # Sorting is stable: of equal reasons, the attribute that is declared first.
    best = sorted(found.items(), key=lambda one: -one[1][0])[:REASONS_MAX]
    told = tuple(Why(by, attribute, shown, tuple(keys)) for (by, attribute, shown), (_, keys) in best)
    return (best[0][1][0] if best else 0.0), told


def nearness(question: Question, names: Sequence[str]) -> float:
    """Tell how like the nearest of some names is to what was asked, from 0 to 1; for ranking, before reasons are told.

    names  as they are compared
    """
    return max((_alike(asked, name) for asked in question.names for name in names), default=0.0)


def _by_key(question: Question, key: SourceKey) -> FoundBy | None:
    place = str(key)[: -len(key.native_id) - 1]
    if not question.native_id or (question.place and question.place != place):
        return None
    asked, native_id = question.native_id.lower(), key.native_id.lower()
    if asked == native_id:
        return "source_key"
    return "beginning" if native_id.startswith(asked) and (question.place or len(asked) > 2) else None


def _by_values(
    entity_type: EntityType, question: Question, values: Mapping[str, Any]
) -> Iterable[tuple[FoundBy, str, str, float]]:
    asked_kinds = {term[0] for term in (*question.exact_terms, *question.beginning_terms)} | {WORD}
    for sought in sought_in(entity_type):
        # An address gives its host as well.
        is_asked = sought.kind in asked_kinds or (sought.kind == EMAIL and DOMAIN in asked_kinds)
        value = values.get(sought.attribute) if is_asked else None
        for text in (value,) if isinstance(value, str) else value if isinstance(value, list) else ():
            if isinstance(text, str) and (found := _by_value(sought, question, text, country_of(sought, values))):
                yield found[0], sought.attribute, text, found[1]


def _by_value(sought: Sought, question: Question, text: str, country: str) -> tuple[FoundBy, float] | None:
    if sought.kind == WORD:
        return _by_name(question, text, compare_names(sought.name_kind, text, country))
    terms = terms_of(sought.kind, sought.name_kind, text, country)
    same = [term for term in terms if term in question.exact_terms]
    if same:
        # Of an address somebody else's at the same host is merely near.
        is_host_only = "@" in question.asked and all(term.startswith(DOMAIN) for term in same)
        return "number", -0.5 if is_host_only else 0.0
    beginnings = [one for one in question.beginning_terms if any(term.startswith(one) for term in terms)]
    if not beginnings:
        return None
    # A telephone number asked for without its country code is the whole number, not the beginning of one.
    return ("number" if any(one[0] == PHONE for one in beginnings) else "beginning"), 0.0


def _by_name(question: Question, text: str, compared: Sequence[str]) -> tuple[FoundBy, float] | None:
    asked_wholes = {name.replace(" ", "") for name in question.names}
    plain = " ".join(words(fold(text)))
    wholes = {name.replace(" ", "") for name in (*compared, plain)}
    alike = max((_alike(asked, name) for asked in question.names for name in (*compared, plain)), default=0.0)
    if asked_wholes & wholes:
        # Written with the same legal form is nearer than written with another.
        return "name", 0.9 * alike if plain not in question.names else 0.99
    there = set(plain.split()).union(*(name.split() for name in compared))
    if question.name_words and all(any(word.startswith(asked) for word in there) for asked in question.name_words):
        return "similar_name", 0.5 + alike / 2.1
    if any(len(asked) > 2 and whole.startswith(asked) for asked in asked_wholes for whole in wholes):
        return "similar_name", 0.5 + alike / 2.1
    if question.name_words and _is_slipped(question.name_words, there):
        return "similar_name", alike / 2.1
    return None


def _is_slipped(asked: Sequence[str], there: Iterable[str]) -> bool:
    """Tell whether every word asked for, but one where there are three, is there with one slip at most."""
    found = list(there)
    missing = sum(not any(word.startswith(one) or _alike_words(one, word) for word in found) for one in asked)
    return missing == 0 or (missing == 1 and len(asked) > 2)


def _alike_words(asked: str, word: str) -> bool:
    return len(asked) > 3 and abs(len(asked) - len(word)) <= 1 and fuzz.ratio(asked, word) >= 100 * (1 - 2 / len(asked))


def _alike(asked: str, name: str) -> float:
    return float(fuzz.token_sort_ratio(asked, name)) / 100.0


def _by_words(
    question: Question, members: Iterable[Member], golden_values: Mapping[str, Any]
) -> dict[tuple[FoundBy, str, str], tuple[float, list[str]]]:
    """Show the values in which the words stand, when all of them stand somewhere."""
    left, found = set(question.all_words), dict[tuple[FoundBy, str, str], tuple[float, list[str]]]()
    told = [(member, {**member.values, "undeclared": member.undeclared}) for member in members]
    for member, values in (*told, (None, golden_values)):
        for attribute, text in _every_text(values):
            there = " ".join(words(fold(text)))
            standing = {word for word in question.all_words if word in there}
            if standing and (standing & left or ("words", attribute, text) in found):
                rank, keys = found.get(("words", attribute, text), (RANK["words"], []))
                found["words", attribute, text] = rank, [*keys, str(member.key)] if member else keys
                left -= standing
        if member and (standing := {word for word in left if word in " ".join(words(fold(str(member.key))))}):
            left -= standing
    return found if not left else {}


def _every_text(values: Mapping[str, Any], under: str = "") -> Iterable[tuple[str, str]]:
    for name, value in values.items():
        for one in value if isinstance(value, list) else (value,):
            if isinstance(one, Mapping):
                yield from _every_text(one, under or name)
            elif isinstance(one, str | int | float):
                yield under or name, str(one)
