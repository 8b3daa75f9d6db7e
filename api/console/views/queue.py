"""The queue as its page shows it: lines with what differs, figures, how old it is and what it costs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from api.console.drawings.bars import Part, Row, bars
from api.console.drawings.described import Described
from api.console.drawings.ring import Ring, ring
from api.console.drawings.spark import Spark, spark
from api.console.views.differences import Segment, Value, differences
from api.console.views.queue_filter import share_of
from api.console.views.vocabulary import N_, names
from api.console.views.words import Words
from mdm.decisions.queue_model import AgeBar
from mdm.decisions.review_model import Answer, Review
from mdm.stewardship.queue_lines import QueueLine
from mdm.stewardship.short_facts import ShortFacts

EVIDENCE_MAX: Final = 3  # chosen: what fits beside two names
ROWS_MAX: Final = 4  # attributes of a sample that are shown beside the names

_AGES: Final = {
    1: N_("today"),
    3: N_("1–3 days"),
    7: N_("3–7 days"),
    14: N_("1–2 weeks"),
    30: N_("2–4 weeks"),
    90: N_("1–3 months"),
    None: N_("older"),
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """Hold one step of the evidence, and whether it speaks for or against."""

    words: str
    bits: str
    tone: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Hold the values of both sides under one heading, in segments."""

    title: str
    left: tuple[Segment, ...]
    right: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """Hold one line: a review with both names, what differs in them, and what speaks for it."""

    review: Review
    ring: Ring
    names: Compared
    evidence: tuple[Evidence, ...]
    waiting: Answer | None
    is_overdue: bool

    @property
    def pick(self) -> str:
        """Name the answer that is shown, so that no other one is approved in its place."""
        return f"{self.review.id}:{self.review.answer_id}"


@dataclass(frozen=True, slots=True)
class Sampled:
    """Hold a review of a sample: its line, and the values that tell most about it."""

    line: Line
    rows: tuple[Compared, ...]


def line_of(line: QueueLine, now: datetime, words: Words) -> Line:
    """Lay out a line."""
    facts = line.facts
    due_at = facts.review.due_at
    return Line(
        review=facts.review,
        ring=ring(share_of(facts.review.bits)),
        names=_compared("", facts.left_name or facts.review.left_key, facts.right_name or facts.review.right_key),
        evidence=evidence_of(facts.why, words)[:EVIDENCE_MAX],
        waiting=line.waiting,
        is_overdue=due_at is not None and due_at < now,
    )


def sampled(facts: ShortFacts, titles: Sequence[tuple[str, str]], now: datetime, words: Words) -> Sampled:
    """Lay out a review of a sample with the first values that either side has.

    titles  attributes with their titles, what tells most first; the name, which comes first, is shown already
    """
    rows = [
        _compared(title, facts.left.get(name, ""), facts.right.get(name, ""))
        for name, title in titles[1:]
        if facts.left.get(name) or facts.right.get(name)
    ]
    return Sampled(line_of(QueueLine(facts), now, words), tuple(rows[:ROWS_MAX]))


def evidence_of(why: str, words: Words) -> tuple[Evidence, ...]:
    """Take the evidence in short apart: "name same +4.0; city different -1.2"."""
    found = []
    for step in filter(None, why.split("; ")):
        told, _, bits = step.rpartition(" ")
        is_step = bool(told) and bits[:1] in {"+", "-"}
        tone = ("pos" if bits[0] == "+" else "neg") if is_step else "bad"
        found.append(Evidence(*(_said(told, words), bits.replace("-", "\u2212")) if is_step else (step, ""), tone))
    return tuple(found)


def _said(told: str, words: Words) -> str:
    """Say what was compared, and how far it is alike: of "name near" that is "name: nearly the same"."""
    for name in sorted(names("comparison"), key=len, reverse=True):
        compared = name.replace("_", " ")
        if told.startswith(f"{compared} "):
            level = told.removeprefix(compared).strip().replace(" ", "_")
            return f"{words.word('comparison', name)}: {words.word('level', level)}"
    return told


def age_rows(ages: Sequence[AgeBar], words: Words) -> tuple[tuple[Row, ...], Described]:
    """Draw how old the open questions are, the overdue ones of each age apart."""
    in_time, overdue = words.translate(N_("in time")), words.translate(N_("overdue"))
    told = [(words.translate(_AGES.get(one.days_below, N_("older"))), one) for one in ages]
    rows = [
        (label, (Part(in_time, one.count - one.overdue, "c1"), Part(overdue, one.overdue, "c3"))) for label, one in told
    ]
    figures = tuple((label, words.number(one.count), words.number(one.overdue)) for label, one in told)
    title = words.translate(N_("How long questions have waited"))
    return bars(rows), Described(title, "", (title, words.translate(N_("questions")), overdue), figures)


def pace_of(by_day: Sequence[int], words: Words) -> tuple[Spark | None, str]:
    """Draw somebody's answers of the last days, with the sentence for who does not see it."""
    sentence = words.translate(N_("Your answers on each of the last %(days)s days: %(numbers)s"))
    numbers = ", ".join(words.number(count) for count in by_day)
    return spark(by_day), sentence % {"days": len(by_day), "numbers": numbers}


def duration(seconds: float, words: Words) -> str:
    """Say how long something takes in few letters: 12 s, 8 min, 1.4 h."""
    if seconds < 90:
        return words.translate(N_("%(number)s s")) % {"number": words.number(round(seconds))}
    if seconds < 90 * 60:
        return words.translate(N_("%(number)s min")) % {"number": words.number(round(seconds / 60))}
    return words.translate(N_("%(number)s h")) % {"number": words.number(round(seconds / 3_600, 1))}


def _compared(title: str, left: str, right: str) -> Compared:
    return Compared(title, *differences(Value(left), Value(right)))
