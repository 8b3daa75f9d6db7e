"""One scoring function per survivorship strategy: candidates in, one score each out, the greater the better.

A score is an integer, a fraction or a tuple of such; None says that the strategy has nothing to say for a candidate.
Scores of one strategy compare with each other only. Candidates come sorted by source key, never in order of arrival.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from math import fsum
from typing import Any, Final

from mdm.entities.model import EntityType, Origin, SurvivorshipRule
from mdm.survivorship.model import Contribution, canonical_bytes
from mdm.survivorship.trust import Trusted, decay_of, to_us

Score = Any  # int | Fraction | tuple: comparable with the scores of the same strategy
_UNDATED: Final = -(10**30)  # before every instant that a timestamp can hold
_YES: Final = frozenset({"true", "yes", "y", "1", "verified"})


@dataclass(frozen=True, slots=True)
class Contest:
    """Who competes for one attribute, or for a group of attributes that moves together, and by which rule.

    attributes   the attribute, or those of the group; the first one leads
    candidates   those with a value, sorted by source key
    winner_of    finds the record that won another attribute, for same_winner_as
    """

    entity_type: EntityType
    attributes: tuple[str, ...]
    rule: SurvivorshipRule
    candidates: tuple[Contribution, ...]
    at: datetime
    winner_of: Callable[[str], Contribution | None]


def time_us(contest: Contest, candidate: Contribution) -> int:
    """Tell when the candidate's value last changed, so that undated values come before all others."""
    since = value_time(candidate, contest.attributes)
    return _UNDATED if since is None else to_us(since)


def value_time(candidate: Contribution, attributes: Sequence[str]) -> datetime | None:
    """Tell when a candidate's value last changed in its source, as well as is known."""
    known = [candidate.changed_at[name] for name in attributes if name in candidate.changed_at]
    return max(known) if known else candidate.source_time


def trusted(contest: Contest, candidate: Contribution) -> Trusted:
    """Give the candidate's trust over time."""
    return Trusted(
        decay=decay_of(contest.rule.options, candidate.origin),
        since=value_time(candidate, contest.attributes),
        is_invalid=not candidate.invalid.isdisjoint(contest.attributes),
    )


def meets(conditions: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    """Tell whether a record meets all conditions of a rule.

    conditions  by attribute: a text or a list of texts, one of which the record must hold; {not: …} for none of them;
                {present: true | false}. Case does not count.
    """
    return all(_meets_one(expected, values.get(name)) for name, expected in conditions.items())


def fold(value: Any) -> Any:
    """Drop what does not tell two values apart: case and runs of spaces of a text."""
    return " ".join(value.split()).casefold() if isinstance(value, str) else canonical_bytes(value)


def _meets_one(expected: Any, value: Any) -> bool:
    if isinstance(expected, Mapping):
        if "present" in expected:
            return bool(expected["present"]) == (value is not None)
        return not _meets_one(expected["not"], value)
    wanted = {fold(str(text)) for text in (expected if isinstance(expected, list | tuple) else [expected])}
    held = value if isinstance(value, list) else [] if value is None else [value]
    return any(fold(text) in wanted for text in held)


def _source_priority(contest: Contest) -> list[Score | None]:
    sources = contest.rule.sources
    if not sources:
        return [-candidate.source_rank for candidate in contest.candidates]
    places = (_place(sources, candidate.origin) for candidate in contest.candidates)
    return [None if place is None else -place for place in places]


@lru_cache(maxsize=4_096)
def _place(sources: tuple[str, ...], origin: Origin) -> int | None:
    return next((place for place, source in enumerate(sources) if origin.is_of(source)), None)


def _most_recent(contest: Contest) -> list[Score | None]:
    return [time_us(contest, candidate) for candidate in contest.candidates]


def _most_complete(contest: Contest) -> list[Score | None]:
    attributes = contest.entity_type.attributes.values()
    return [
        (
            sum(name in candidate.values for name in contest.attributes),
            fsum(attribute.weight for attribute in attributes if attribute.name in candidate.values),
        )
        for candidate in contest.candidates
    ]


def _most_frequent(contest: Contest) -> list[Score | None]:
    forms = [tuple(fold(c.values.get(name)) for name in contest.attributes) for c in contest.candidates]
    counts = Counter(forms)
    return [counts[form] for form in forms]


def _longest(contest: Contest) -> list[Score | None]:
    return [sum(_length(c.values.get(name)) for name in contest.attributes) for c in contest.candidates]


def _length(value: Any) -> int:
    if isinstance(value, str):
        return len(value)
    if isinstance(value, Mapping):
        return sum(map(_length, value.values()))
    return sum(map(_length, value)) if isinstance(value, list) else 0


def _maximum(contest: Contest) -> list[Score | None]:
    """Rank the leading attribute's values: as numbers when all are, else as texts, which suits ISO dates."""
    leader = contest.attributes[0]
    values = [candidate.values.get(leader) for candidate in contest.candidates]
    texts = [None if value is None else value if isinstance(value, str) else fold(value).decode() for value in values]
    numbers = [None if text is None else _number(text) for text in texts]
    is_numeric = all((number is None) == (text is None) for number, text in zip(numbers, texts, strict=True))
    measures: Sequence[Any] = numbers if is_numeric else texts
    ranks = {value: rank for rank, value in enumerate(sorted({value for value in measures if value is not None}))}
    return [None if value is None else ranks[value] for value in measures]


def _minimum(contest: Contest) -> list[Score | None]:
    return [None if rank is None else -rank for rank in _maximum(contest)]


def _number(text: str) -> Decimal | None:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _verified_first(contest: Contest) -> list[Score | None]:
    verified_by = contest.rule.options.get("verified_by")
    return [
        1
        if not candidate.verified.isdisjoint(contest.attributes)
        or (verified_by is not None and fold(candidate.values.get(verified_by)) in _YES)
        else None
        for candidate in contest.candidates
    ]


def _trust(contest: Contest) -> list[Score | None]:
    return [trusted(contest, candidate).at(to_us(contest.at)) for candidate in contest.candidates]


def _same_winner_as(contest: Contest) -> list[Score | None]:
    winner = contest.winner_of(contest.rule.options["attribute"])
    return [1 if candidate is winner else None for candidate in contest.candidates]


STRATEGIES: Final[Mapping[str, Callable[[Contest], list[Score | None]]]] = {
    "source_priority": _source_priority,
    "most_recent": _most_recent,
    "most_complete": _most_complete,
    "most_frequent": _most_frequent,
    "longest": _longest,
    "minimum": _minimum,
    "min": _minimum,
    "maximum": _maximum,
    "max": _maximum,
    "union": _source_priority,  # orders the records whose elements are united
    "verified_first": _verified_first,
    "trust": _trust,
    "same_winner_as": _same_winner_as,
}

# Strategies that may say nothing of any candidate go on to this one when a rule names no fallback: a value from a
# source that nobody listed is still better than none. A condition or same_winner_as alone may leave no value.
IMPLIED_FALLBACK: Final[Mapping[str, str]] = {
    "source_priority": "most_recent",
    "union": "most_recent",
    "verified_first": "most_recent",
    "minimum": "most_recent",
    "min": "most_recent",
    "maximum": "most_recent",
    "max": "most_recent",
}

# How a loser compares with the winner by the first strategy that told them apart.
REASONS: Final[Mapping[str, str]] = {
    "source_priority": "its source comes later in the order of sources",
    "most_recent": "older in its source",
    "most_complete": "its record is less complete",
    "most_frequent": "fewer records hold it",
    "longest": "shorter",
    "minimum": "greater",
    "min": "greater",
    "maximum": "smaller",
    "max": "smaller",
    "union": "another record gives this element first",
    "verified_first": "not verified",
    "trust": "less trusted",
    "same_winner_as": "its record did not win the attribute that this one follows",
}
