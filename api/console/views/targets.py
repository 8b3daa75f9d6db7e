"""Targets as people see them: how each does in words with a sign, its last day as a picture, what can be done. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from api.console.drawings.day import DrawnDay
from api.console.drawings.day import day as draw
from api.console.drawings.described import Described
from api.console.views.vocabulary import N_
from api.console.views.words import Words
from mdm.delivery.model import StandingState
from mdm.delivery.orders_model import OrderKind, TargetLine
from mdm.delivery.overview_model import Day
from mdm.reconciliation.model import DRIFT, Report

LATE_S: Final = 300.0  # chosen: what could be told for five minutes and was not is late, as the alarm says too

Sign = Literal["going", "late", "hours", "silent", "rests", "pause", "drain", "stop", "closed", "begin", "files"]
Tone = Literal["pos", "neg", "bad", "accent", ""]


@dataclass(frozen=True, slots=True)
class Health:
    """How a target does: a word, a sign that needs no colour, and a tone."""

    words: str
    sign: Sign
    tone: Tone


_STANDINGS: Final = {
    "backfill": Health(N_("Waits to be matched"), "begin", "accent"),
    "draining": Health(N_("Being drained"), "drain", "accent"),
    "paused": Health(N_("Paused"), "pause", "neg"),
    "stopped": Health(N_("Stopped by the hub"), "stop", "bad"),
    "disabled": Health(N_("Closed for good"), "closed", "bad"),
}
_FILES: Final = Health(N_("A folder of files"), "files", "")
_RESTS: Final = Health(N_("Rests after failures"), "rests", "neg")
_SILENT: Final = Health(N_("Does not answer"), "silent", "neg")
_OUTSIDE_HOURS: Final = Health(N_("Outside of its hours"), "hours", "accent")
_LATE: Final = Health(N_("Running late"), "late", "neg")
_GOING: Final = Health(N_("Running"), "going", "pos")

# What each state of a lane means, as the filter of the list says it.
LANES: Final = (
    ("dead", N_("Given up")),
    ("failing", N_("Failed, tried again")),
    ("waiting", N_("Waits for another record")),
    ("ready", N_("About to be told")),
)
FAILURES: Final = {
    "throttled": N_("asked to slow down"),
    "unavailable": N_("did not answer"),
    "unclear": N_("no clear answer"),
    "refused": N_("refused"),
    "unsupported": N_("does not do such a thing"),
    "ambiguous": N_("more than one fits there"),
    "taken": N_("another record there bears its id"),
    "not_allowed": N_("not allowed"),
    "moved": N_("moved elsewhere"),
    "gone": N_("gone"),
}
OUTCOMES: Final = {
    "delivered": N_("told"),
    "no_change": N_("held it already"),
    "not_subscribed": N_("does not concern it"),
    "undone": N_("undone in time"),
    "skipped": N_("left out"),
    "dead": N_("given up"),
}
KINDS: Final = {
    "file": N_("files"),
    "records": N_("records"),
    "webhook": N_("webhook"),
    "nats": "NATS",
    "rabbitmq": "RabbitMQ",
    "kafka": "Kafka",
}
RECORD_STATES: Final = {
    "active": N_("in use"),
    "deactivated": N_("deactivated"),
    "inactive": N_("taken out of use there"),
    "merged": N_("merged there"),
    "lost": N_("no longer there"),
}


# What each finding of a comparison means, in the order in which they are shown.
FINDINGS: Final = {
    "missed": N_("not told there"),
    "edited": N_("edited there"),
    "lost": N_("not there, or out of use"),
    "forwarded": N_("bears the id of another golden record"),
    "unnamed": N_("bears no external id"),
    "unknown": N_("not known to us"),
}
EXAMPLES_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """One kind of difference of one entity type: how many records, and the first of them."""

    entity_type: str
    words: str
    count: int
    examples: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Drift:
    """The last comparison of a target with what it should hold, as its page shows it."""

    compared_at: datetime
    who: str
    state: str
    compared: int
    rows: tuple[Difference, ...]

    @property
    def examples(self) -> tuple[Mapping[str, Any], ...]:
        """Return all examples that are shown."""
        return tuple(example for row in self.rows for example in row.examples)


@dataclass(frozen=True, slots=True)
class Act:
    """Something a lead may do to a target: the name in the form, the words, and what it means."""

    name: str
    state: StandingState
    words: str
    meaning: str


_PAUSE: Final = Act("pause", "paused", N_("Pause"), N_("Nothing is told until somebody resumes it; changes wait."))
_DRAIN: Final = Act("drain", "draining", N_("Drain"), N_("What waits now is told, then it is paused."))
_RESUME: Final = Act("resume", "running", N_("Resume"), N_("It is told again, and asked at once."))
ACTS: Final = {act.name: act for act in (_PAUSE, _DRAIN, _RESUME)}
# The same for a target whose records are not matched yet.
_PAUSE_AFTER: Final = replace(
    _PAUSE, meaning=N_("Once its records are matched, nothing is told until somebody resumes it.")
)
_DRAIN_AFTER: Final = replace(
    _DRAIN, meaning=N_("Once its records are matched, what waits is told, then it is paused.")
)
_RESUME_AFTER: Final = replace(_RESUME, meaning=N_("Once its records are matched, it is told."))
# How a target stands once its records are matched.
AFTER_BACKFILL: Final = {
    "draining": N_("Once its records are matched, it is drained:"),
    "paused": N_("Once its records are matched, it is paused:"),
    "stopped": N_("Once its records are matched, it is stopped by the hub:"),
    "disabled": N_("Once its records are matched, it is closed for good:"),
}


def health_of(line: TargetLine, now: datetime) -> Health:
    """Say how a target does."""
    standing = line.standing
    if standing is None:
        return _FILES
    if standing.state != "running":
        return _STANDINGS[standing.state]
    if standing.opens_at is not None and standing.opens_at > now:
        return _RESTS
    if standing.failures:
        return _SILENT
    if line.told_again_at is not None and line.told_again_at > now:
        return _OUTSIDE_HOURS
    return _LATE if (line.oldest_s or 0.0) >= LATE_S else _GOING


def drift_of(report: Report) -> Drift:
    """Give what a comparison found, kind by kind; what is on its way or was left out is no difference."""
    assert set(FINDINGS) == set(DRIFT)
    rows = tuple(
        Difference(
            name, FINDINGS[finding], found[finding], report.examples.get(name, {}).get(finding, ())[:EXAMPLES_SHOWN]
        )
        for finding in FINDINGS
        for name, found in sorted(report.counts.items())
        if found.get(finding)
    )
    return Drift(report.recorded_at, report.who, report.state, report.total("compared"), rows)


def acts_of(line: TargetLine) -> tuple[Act, ...]:
    """Say what can be done to a target as it stands."""
    if line.standing is None:
        return ()
    if line.standing.state == "backfill":
        return (_PAUSE_AFTER, _DRAIN_AFTER) if line.standing.after is None else (_RESUME_AFTER,)
    if line.standing.state == "running":
        return (_PAUSE, _DRAIN, *((_RESUME,) if line.standing.failures else ()))
    if line.standing.state == "draining":
        return (_PAUSE, _RESUME)
    return (_RESUME, _DRAIN) if line.standing.state == "paused" else (_RESUME,)


def order_words(kind: OrderKind) -> str:
    """Name an order as its button does."""
    return N_("Tell again") if kind == "replay" else N_("Leave out")


@dataclass(frozen=True, slots=True)
class Picture:
    """The last day of a target as it is drawn, and as it is read out."""

    drawn: DrawnDay
    told: Described
    is_whole: bool


def picture_of(title: str, day: Day, words: Words) -> Picture:
    """Draw the last day of a target."""
    drawn = draw([(hour.told, hour.parked, hour.waiting) for hour in day.hours])
    parked = sum(hour.parked for hour in day.hours)
    sentence = words.translate(
        N_("Told %(told)s in 24 hours, at most %(most)s in one; given up %(parked)s; %(waiting)s wait now.")
    ) % {
        "told": words.number(day.told),
        "most": words.number(drawn.told_most),
        "parked": words.number(parked),
        "waiting": words.number(day.hours[-1].waiting if day.hours else 0),
    }
    head = tuple(map(words.translate, (N_("Hour"), N_("Told"), N_("Given up"), N_("Waiting at its end"))))
    rows = tuple(
        (words.moment(hour.at), words.number(hour.told), words.number(hour.parked), words.number(hour.waiting))
        for hour in day.hours
        if hour.told or hour.parked or hour.waiting
    )
    heading = words.translate(N_("The last day of %(target)s")) % {"target": title}
    return Picture(drawn, Described(heading, sentence, head, rows), day.is_whole)


def duration(seconds: float, words: Words, now: datetime) -> str:
    """Say a duration in few letters."""
    if seconds < 60:
        return words.translate(N_("%(number)s s")) % {"number": words.number(round(seconds))}
    return words.age(now - timedelta(seconds=seconds), now)
