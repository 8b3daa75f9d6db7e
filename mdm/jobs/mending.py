"""Mend what waits in the exception queue: see what is wrong where, try a mend, send it on, alone or a whole group.

A try judges the delivery as mended, and takes it along the path in a transaction that is rolled back: what it says is
what a replay would do now. A group is worked off one exception after the other, each in transactions of its own, so
that a fault of one holds nobody up and whatever was done stays done.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, Literal

from sqlalchemy import Connection

from mdm.access.limits import Limits
from mdm.activation.service import mendable_types
from mdm.db.transaction import reading, run
from mdm.entities.columns import claim, columns_by_attribute
from mdm.entities.model import Reason
from mdm.errors import ExceptionClosed, ExceptionUnknown, HubError
from mdm.hub import Hub
from mdm.ids import ExceptionId
from mdm.jobs.model import Outcome
from mdm.jobs.service import replay, try_delivery
from mdm.sources import exceptions
from mdm.sources.exceptions_model import ExceptionFilter
from mdm.sources.model import DeliveryException, SourceKey

GROUP_MAX: Final = 10_000  # chosen: exceptions of one call, a few minutes of work; the rest is told and asked for anew
_PAGE: Final = 200

OnStep = Callable[[int, int], None]
Fate = Literal["taken", "rejected", "dismissed", "closed", "failed"]


@dataclass(frozen=True, slots=True)
class FieldTold:
    """One delivered column, or an attribute that is missing, with what is wrong with it.

    column     "" where nothing was delivered for the attribute
    attribute  that the column fills; "" where it fills none
    title      what people call it
    faults     reasons that name this attribute; the message says which value, the remedy what to do
    """

    column: str
    attribute: str
    title: str
    value: Any
    faults: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class ExceptionCard:
    """An exception as a page shows it: the fields at fault first, then the rest; reasons of no field by themselves."""

    exception: DeliveryException
    fields: tuple[FieldTold, ...]
    faults: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Tried:
    """What a replay of an exception would do now.

    card  the exception as it would be, with the faults that would be left
    """

    outcome: Outcome
    card: ExceptionCard

    @property
    def is_taken(self) -> bool:
        """Tell whether the delivery would be stored."""
        return self.outcome.status != "rejected"


@dataclass(frozen=True, slots=True)
class Worked:
    """What became of a group of exceptions.

    fates         how many were taken, rejected again, dismissed, closed by somebody else meanwhile, or failed
    rejected_ids  those that wait as before; failures name the error of each that could not be tried
    left          how many of the group were not reached, being beyond the bound
    last_id       the last one that was reached; `ExceptionFilter.after` goes on behind it; None when there was none
    """

    fates: Mapping[Fate, int]
    rejected_ids: tuple[ExceptionId, ...]
    failures: Mapping[ExceptionId, str]
    left: int
    last_id: ExceptionId | None = None


def exception_card(hub: Hub, exception_id: ExceptionId, *, limits: Limits | None = None) -> ExceptionCard:
    """Show one exception with the faults at its fields; raises ExceptionUnknown, also for one beyond the limits."""
    return _card(hub, _visible(hub, exception_id, limits))


def try_mend(
    hub: Hub, exception_id: ExceptionId, changes: Mapping[str, Any], *, who: str, limits: Limits | None = None
) -> Tried:
    """Say what mending these fields and replaying would do; nothing is written. None removes a field.

    Raises ExceptionUnknown, ExceptionClosed, and InputInvalid for a field that fills nothing.
    """
    found = _visible(hub, exception_id, limits)
    exceptions.require_open(found)
    mended = exceptions.as_mended(found, mendable_types(hub), changes)
    outcome = try_delivery(hub, mended, who=who)
    return Tried(outcome, _card(hub, exceptions.with_reasons(mended, outcome.errors)))


def mend_and_replay(
    hub: Hub, exception_id: ExceptionId, changes: Mapping[str, Any], *, who: str, limits: Limits | None = None
) -> Outcome:
    """Put mended fields in place and send the delivery along the path; what was mended stays when it is refused again.

    Raises as `try_mend` does.
    """
    exceptions.require_open(_visible(hub, exception_id, limits))
    if changes:
        run(hub.engine, lambda connection: exceptions.mend(connection, mendable_types(hub), exception_id, changes))
    return replay(hub, exception_id, who=who)


def replay_group(
    hub: Hub, asked: ExceptionFilter, *, who: str, on_step: OnStep = lambda _done, _all: None, limit: int = GROUP_MAX
) -> Worked:
    """Send every exception that a filter lets through along the path once more; the rest of a group goes on after one.

    on_step  is told after each how many are done, of how many
    """
    return _work_off(hub, asked, partial(_replayed, hub, who), on_step, limit)


def dismiss_group(
    hub: Hub,
    asked: ExceptionFilter,
    *,
    who: str,
    note: str = "",
    on_step: OnStep = lambda _done, _all: None,
    limit: int = GROUP_MAX,
) -> Worked:
    """Close every exception that a filter lets through without taking its delivery; `note` says why."""
    return _work_off(hub, asked, partial(_dismissed, hub, who, note), on_step, limit)


def dismiss(hub: Hub, exception_id: ExceptionId, *, who: str, note: str = "", limits: Limits | None = None) -> None:
    """Close one exception without taking its delivery; raises ExceptionUnknown, ExceptionClosed, InputInvalid."""
    _visible(hub, exception_id, limits)
    _dismissed(hub, who, note, exception_id)


def _work_off(
    hub: Hub, asked: ExceptionFilter, act: Callable[[ExceptionId], Fate], on_step: OnStep, limit: int
) -> Worked:
    with reading(hub.engine) as connection:
        ids = _ids(connection, asked, limit)
        count = exceptions.count_by(connection, asked)
    fates: dict[Fate, int] = {}
    rejected: list[ExceptionId] = []
    failures: dict[ExceptionId, str] = {}
    for done, exception_id in enumerate(ids, start=1):
        try:
            fate = act(exception_id)
        except (ExceptionClosed, ExceptionUnknown):
            fate = "closed"
        except HubError as error:
            fate = "failed"
            failures[exception_id] = str(error)
        if fate == "rejected":
            rejected.append(exception_id)
        fates[fate] = fates.get(fate, 0) + 1
        on_step(done, len(ids))
    return Worked(fates, tuple(rejected), failures, max(0, count - len(ids)), ids[-1] if ids else None)


def _ids(connection: Connection, asked: ExceptionFilter, limit: int) -> list[ExceptionId]:
    """Take the ids of a group beforehand: one that is rejected again stays in it, and must not be tried for ever."""
    ids: list[ExceptionId] = []
    while len(ids) < limit:
        wanted = min(_PAGE, limit - len(ids))
        page = exceptions.listed_by(connection, asked, after=ids[-1] if ids else "", limit=wanted)
        ids += [one.id for one in page]
        if len(page) < wanted:
            break
    return ids


def _replayed(hub: Hub, who: str, exception_id: ExceptionId) -> Fate:
    return "rejected" if replay(hub, exception_id, who=who).status == "rejected" else "taken"


def _dismissed(hub: Hub, who: str, note: str, exception_id: ExceptionId) -> Fate:
    run(
        hub.engine,
        lambda connection: exceptions.close(connection, exception_id, state="dismissed", who=who, note=note),
    )
    return "dismissed"


def _visible(hub: Hub, exception_id: ExceptionId, limits: Limits | None) -> DeliveryException:
    with reading(hub.engine) as connection:
        found = exceptions.require(connection, exception_id)
    if limits is not None and not limits.shows(found.entity_type, SourceKey.parse(found.source_key).instance):
        raise ExceptionUnknown(exception_id)
    return found


def _card(hub: Hub, found: DeliveryException) -> ExceptionCard:
    """Put each reason at the columns that fill its attribute, or at the attribute when none was delivered."""
    entity_type = mendable_types(hub).get(found.entity_type)
    if entity_type is None:
        told = tuple(FieldTold(column, "", column, value) for column, value in found.fields.items())
        return ExceptionCard(found, told, found.reasons)
    columns = columns_by_attribute(entity_type, found.fields, found.column_map)
    by_attribute: dict[str, list[Reason]] = {}
    for reason in found.reasons:
        by_attribute.setdefault(reason.field.partition(".")[0].partition("[")[0], []).append(reason)
    fields: list[FieldTold] = []
    placed: set[Reason] = set()
    for column, value in found.fields.items():
        claimed = claim(entity_type, column, found.column_map)
        attribute = claimed.attribute if claimed is not None else ""
        title = entity_type.attributes[attribute].title if attribute else column
        faults = _faults_at(column, by_attribute.get(attribute, []), columns.get(attribute, ()))
        placed.update(faults)
        fields.append(FieldTold(column, attribute, title, value, faults))
    missing = [
        FieldTold("", name, attribute.title, None, tuple(left))
        for name, attribute in entity_type.attributes.items()
        if (left := [reason for reason in by_attribute.get(name, []) if reason not in placed])
    ]
    placed.update(reason for one in missing for reason in one.faults)
    ordered = sorted([*missing, *fields], key=lambda one: not one.faults)
    return ExceptionCard(found, tuple(ordered), tuple(one for one in found.reasons if one not in placed))


def _faults_at(column: str, reasons: Sequence[Reason], columns: Sequence[str]) -> tuple[Reason, ...]:
    """Take the reasons that are about one of several columns that fill an attribute: one that names it, or all."""
    if column not in columns:
        return tuple(reason for reason in reasons if reason.message.startswith(f"{column}:"))
    named = {reason: [one for one in columns if reason.message.startswith(f"{one}:")] for reason in reasons}
    return tuple(reason for reason, ones in named.items() if not ones or column in ones)
