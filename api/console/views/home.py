"""The pictures of the first page, from the figures of the hub: each with its numbers and what is read out. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from api.console.drawings.bars import Part, Row, bars
from api.console.drawings.described import Described, tone
from api.console.views.vocabulary import N_
from api.console.views.words import Words
from mdm.stewardship.state_of_the_hub import Figures

_AGES: Final[Sequence[tuple[str, str, str]]] = (
    ("day", N_("today"), "c4"),
    ("week", N_("this week"), "c1"),
    ("month", N_("this month"), "c2"),
    ("older", N_("older"), "c3"),
)
_EACH: Final[Sequence[tuple[str, str]]] = ((N_("distinct"), "c1"), (N_("duplicates"), "c3"))


@dataclass(frozen=True, slots=True)
class Picture:
    """Rows of bars with their legend and their words; is_estimate: a figure was taken from a sample."""

    rows: tuple[Row, ...]
    legend: tuple[tuple[str, str], ...]
    told: Described
    is_estimate: bool = False


def sentence_case(said: str) -> str:
    """Begin with a capital."""
    return said[:1].upper() + said[1:]


def records_picture(figures: Figures, titles: Mapping[str, str], words: Words) -> Picture:
    """Draw the records of each system, parted by kind, the largest system first."""
    types = sorted({one.entity_type for one in figures.records})
    tones = {name: tone(number) for number, name in enumerate(types)}
    names = {name: sentence_case(words.word("entities", name)) for name in types}
    counts = {(one.source, one.entity_type): one.active for one in figures.records}
    totals = {source: sum(counts.get((source, name), 0) for name in types) for source, _ in counts}
    order = sorted(totals, key=lambda source: (-totals[source], source))
    rows = [
        (
            titles.get(source, source),
            [Part(names[name], counts.get((source, name), 0), tones[name]) for name in types],
        )
        for source in order
    ]
    told = Described(
        words.translate(N_("Records by system")),
        words.translate(N_("How many records each system has brought, by kind.")),
        (words.translate(N_("System")), *names.values(), words.translate(N_("All"))),
        tuple(
            (label, *(words.number(part.count) for part in parts), words.number(sum(part.count for part in parts)))
            for label, parts in rows
        ),
    )
    legend = tuple((names[name], tones[name]) for name in types)
    return Picture(bars(rows), legend, told, any(one.is_estimate for one in figures.records))


def duplicates_picture(figures: Figures, words: Words) -> Picture:
    """Draw, for each kind, how many records were found to be one with another."""
    seen = [one for one in figures.golden if one.golden is not None and one.duplicates is not None]
    labels = [(words.translate(label), colour) for label, colour in _EACH]
    rows = [
        (
            sentence_case(words.word("entities", one.entity_type)),
            [Part(labels[0][0], one.golden or 0, labels[0][1]), Part(labels[1][0], one.duplicates or 0, labels[1][1])],
        )
        for one in seen
    ]
    told = Described(
        words.translate(N_("Duplicates found")),
        words.translate(N_("How many records were found to be one with another, by kind.")),
        (words.translate(N_("Kind")), *(label for label, _ in labels)),
        tuple((label, *(words.number(part.count) for part in parts)) for label, parts in rows),
    )
    return Picture(bars(rows), tuple(labels), told, any(one.is_estimate for one in seen))


def reviews_picture(figures: Figures, words: Words) -> Picture:
    """Draw the open questions by kind, parted by age, the most frequent kind first."""
    counts: dict[str, dict[str, int]] = {}
    for one in figures.reviews:
        by_age = counts.setdefault(one.kind, {})
        by_age[one.age] = by_age.get(one.age, 0) + one.count
    order = sorted(counts, key=lambda kind: (-sum(counts[kind].values()), kind))
    ages = [(age, words.translate(label), colour) for age, label, colour in _AGES]
    rows = [
        (words.word("review", kind), [Part(label, counts[kind].get(age, 0), colour) for age, label, colour in ages])
        for kind in order
    ]
    told = Described(
        words.translate(N_("Open questions")),
        words.translate(N_("How many questions wait for a steward, by kind and age.")),
        (words.translate(N_("Kind")), *(label for _, label, _ in ages)),
        tuple((label, *(words.number(part.count) for part in parts)) for label, parts in rows),
    )
    return Picture(bars(rows), tuple((label, colour) for _, label, colour in ages), told)


def exceptions_picture(figures: Figures, words: Words) -> Picture:
    """Draw the most frequent reasons for which deliveries wait, parted into rejected and taken with a warning."""
    kinds = (
        ("rejected", words.translate(N_("rejected")), "c5"),
        ("warning", words.translate(N_("taken, with a warning")), "c6"),
    )
    counts: dict[str, dict[str, int]] = {}
    for one in figures.exceptions:
        by_kind = counts.setdefault(one.code, {})
        by_kind[one.kind] = by_kind.get(one.kind, 0) + one.count
    order = sorted(counts, key=lambda code: (-sum(counts[code].values()), code))
    rows = [
        (
            sentence_case(words.word("reason", code)),
            [Part(label, counts[code].get(kind, 0), colour) for kind, label, colour in kinds],
        )
        for code in order
    ]
    told = Described(
        words.translate(N_("Exceptions by reason")),
        words.translate(N_("For which reasons deliveries wait to be mended.")),
        (words.translate(N_("Reason")), *(label for _, label, _ in kinds)),
        tuple((label, *(words.number(part.count) for part in parts)) for label, parts in rows),
    )
    return Picture(bars(rows), tuple((label, colour) for _, label, colour in kinds), told)


def hours_told(hours: float | None, words: Words) -> str:
    """Price a queue in plain words: minutes below an hour and a half, else hours with one decimal."""
    if hours is None:
        return ""
    if hours < 1.5:
        return words.translate(N_("%(number)s min")) % {"number": words.number(max(1, round(hours * 60)))}
    return words.translate(N_("%(number)s h")) % {"number": words.number(round(hours, 1))}
