"""One operation at work: what it looks up under its locks, and what it writes down under its event."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from operator import attrgetter
from typing import Final

from sqlalchemy import Connection

from mdm import clock
from mdm.decisions import service as decisions
from mdm.decisions import store as decisions_store
from mdm.decisions.closure import require_consistent
from mdm.decisions.model import Decision, Judgement, Pair, Signature, Verdict
from mdm.errors import (
    GoldenRecordRetired,
    GoldenRecordUnknown,
    InputInvalid,
    PlanOutdated,
    SourceRecordUnknown,
    TooLarge,
    VersionOutdated,
)
from mdm.failpoints import failpoint
from mdm.hub import Work
from mdm.identity import store as identity_store
from mdm.identity.model import NO_WISHES, Cause, CauseKind, GoldenRecord, IdentityPlan, Wishes
from mdm.ids import EventId, GoldenId, RecordId, new_event_id
from mdm.pipeline import apply, recluster, reevaluate
from mdm.sources import store as sources_store
from mdm.sources.model import SourceKey
from mdm.stewardship.model import By
from mdm.stewardship.sides import Part, across, by_operation, count_across, links_beside, redraw, ties

PAIRS_MAX: Final = 10_000
"""Pairs of records that one operation may decide about (chosen: two golden records of 100 records each)."""


@dataclass(frozen=True, slots=True)
class Act:
    """The hands of one operation: its transaction, in whose name and why, and the id of its root event.

    reinstated  decisions that stand again because what ended them is taken back
    instants    the one instant of all that it records, once it is taken
    """

    work: Work
    by: By
    event_id: EventId = field(default_factory=new_event_id)
    reinstated: list[Decision] = field(default_factory=list)
    instants: list[datetime] = field(default_factory=list)

    @property
    def connection(self) -> Connection:
        """Return the connection of the transaction."""
        return self.work.connection

    @property
    def signed(self) -> Signature:
        """Return what signs all that the operation records; first asked for once the locks are held.

        Whoever waited for another operation then records later than that one, and never ends what is not begun.
        """
        if not self.instants:
            self.instants.append(clock.recording_instant(self.connection))
        return Signature(self.instants[0], self.by.who, self.event_id)

    def any_golden(self, golden_id: GoldenId) -> GoldenRecord:
        """Lock a golden record and return it as it stands, a forwarded one as what it leads to.

        Nobody decides about its entity type meanwhile. Raises GoldenRecordUnknown, VersionOutdated.
        """
        found = identity_store.select_goldens(self.connection, [golden_id]).get(golden_id)
        if found is None:
            raise GoldenRecordUnknown(golden_id)
        decisions.hold_decisions(self.connection, found.entity_type)
        self.work.locks.hold(self.connection, [found.id])
        found = identity_store.select_goldens(self.connection, [golden_id])[golden_id]
        failpoint("operation.locked")
        self._require_expected(found.id, found.version)
        return self.any_golden(found.forward_to) if found.forward_to is not None else found

    def golden(self, golden_id: GoldenId) -> GoldenRecord:
        """Do the same for one that must be active; raises GoldenRecordRetired."""
        found = self.any_golden(golden_id)
        if found.state != "active":
            raise GoldenRecordRetired(found.id)
        return found

    def many_goldens(self, golden_ids: Collection[GoldenId]) -> dict[GoldenId, GoldenRecord]:
        """Lock many golden records of one entity type at once; return by each id asked for what it leads to.

        Raises GoldenRecordUnknown, VersionOutdated, GoldenRecordRetired, InputInvalid for several entity types.
        """
        found = self._locked(golden_ids)
        entity_types = sorted({golden.entity_type for golden in found.values()})
        if len(entity_types) > 1:
            raise InputInvalid(
                f"the golden records are {' and '.join(entity_types)}", remedy="name those of one entity type"
            )
        present = {golden_id: found[found[golden_id].forward_to or golden_id] for golden_id in golden_ids}
        for golden in present.values():
            if golden.state != "active":
                raise GoldenRecordRetired(golden.id)
        return present

    def two_goldens(self, first_id: GoldenId, second_id: GoldenId) -> tuple[GoldenRecord, GoldenRecord]:
        """Lock two golden records in order; raises InputInvalid when they are one already, or of two entity types."""
        found = self._locked({first_id, second_id})
        first, second = (found[found[golden_id].forward_to or golden_id] for golden_id in (first_id, second_id))
        for golden in sorted({first, second}, key=attrgetter("id")):
            self._require_expected(golden.id, golden.version)
            if golden.state != "active":
                raise GoldenRecordRetired(golden.id)
        if first.id == second.id:
            raise InputInvalid(
                f"{first_id} and {second_id} are one golden record already", remedy="nothing to do", field="second"
            )
        if first.entity_type != second.entity_type:
            raise InputInvalid(
                f"{first.id} is a {first.entity_type}, {second.id} a {second.entity_type}",
                remedy="name two golden records of one entity type",
                field="second",
            )
        return first, second

    def members(self, *golden_ids: GoldenId) -> frozenset[RecordId]:
        """Return the members of golden records."""
        return frozenset().union(*identity_store.select_member_ids(self.connection, golden_ids).values())

    def record(self, key: SourceKey, out_of: GoldenId | None) -> tuple[RecordId, GoldenId, str]:
        """Return a record that belongs to a golden record, which is locked, with that and the entity type.

        out_of  the golden record that it has to be a member of, None for whichever; whoever names one may know of
                no other, so a key that is no member is refused alike wherever it belongs
        """
        if out_of is not None:
            golden = self.golden(out_of)
            (record_id,) = self.records([key], inside=self.members(golden.id), of=golden.id, field="key")
            return record_id, golden.id, golden.entity_type
        head = sources_store.select_heads(self.connection, [key]).get(key)
        if head is None:
            raise SourceRecordUnknown(str(key))
        if head.state != "active":
            raise InputInvalid(
                f"{key} is {head.state} and belongs to no golden record", remedy="nothing to do", field="key"
            )
        golden = self.golden(GoldenId(head.golden_id))
        record_id = RecordId(head.id)
        if record_id not in self.members(golden.id):
            raise PlanOutdated(golden.id, planned=f"with {key}", found="without it")
        return record_id, golden.id, golden.entity_type

    def records(self, keys: Iterable[SourceKey], *, inside: Part, of: GoldenId, field: str = "parts") -> Part:
        """Return the ids of members by their source keys; raises InputInvalid for a key that is no member."""
        wanted = sorted(keys)
        heads = sources_store.select_heads(self.connection, wanted)
        for key in wanted:
            if key not in heads or RecordId(heads[key].id) not in inside:
                raise InputInvalid(f"{key} is no member of {of}", remedy="name its members only", field=field)
        return frozenset(RecordId(heads[key].id) for key in wanted)

    def decide(
        self,
        entity_type: str,
        pairs: Sequence[Pair],
        verdict: Verdict | Judgement,
        *,
        around: Sequence[Decision] | None = None,
    ) -> None:
        """Decide about pairs under this operation, for its reason where the verdict has none of its own.

        around  the active decisions around these records, where they are known
        """
        if pairs:
            said = verdict if isinstance(verdict, Verdict) else Verdict(verdict, self.by.reason)
            decisions.make_decisions(self.connection, entity_type, pairs, said, signed=self.signed, around=around)

    def tie(self, entity_type: str, *parts: Part) -> None:
        """Decide that all records of a part are the same, for each part; it answers what somebody was unsure of."""
        active = decisions.decisions_around(self.connection, frozenset().union(*parts))
        unsure = [one for one in active if one.verdict.judgement == "unsure"]
        answered = [one for one in unsure if any(part.issuperset(one.pair) for part in parts)]
        self.end(answered)
        left = [one for one in active if one not in answered] if answered else active
        self.decide(entity_type, [pair for part in parts for pair in ties(active, part)], "same", around=left)

    def end(self, ended: Sequence[Decision]) -> None:
        """End decisions under this operation."""
        if ended:
            decisions_store.revoke_decisions(
                self.connection,
                [one.id for one in ended],
                event_id=self.event_id,
                at=self.signed.at,
                who=self.signed.who,
            )

    def cause(self, kind: CauseKind, *, undoes_id: EventId | None = None) -> Cause:
        """Return the cause of all that this operation changes."""
        return Cause(kind, self.by.reason, event_id=self.event_id, undoes_id=undoes_id)

    def recluster(
        self,
        kind: CauseKind,
        entity_type: str,
        seeds: Iterable[RecordId],
        wishes: Wishes = NO_WISHES,
        *,
        undoes_id: EventId | None = None,
    ) -> Cause:
        """Bring golden records to what the decisions ask now."""
        cause = self.cause(kind, undoes_id=undoes_id)
        recluster(replace(self.work, wishes=wishes), self.work.declared[entity_type], seeds, cause=cause)
        return cause

    def step_back(
        self,
        plan: IdentityPlan,
        seeds: Iterable[RecordId],
        wishes: Wishes = NO_WISHES,
        *,
        undoes_id: EventId,
        is_matched_anew: bool = False,
    ) -> Cause:
        """Carry out a plan that takes an event back; what came to be true since then changes it as it would have.

        wishes           for what followed the event, which follows its taking back
        is_matched_anew  whether the seeds may have changed while they belonged to no golden record
        """
        cause, entity_type = self.cause("undo", undoes_id=undoes_id), self.work.declared[plan.entity_type]
        self.work.locks.hold(self.connection, plan.touched)
        apply(replace(self.work, wishes=wishes), entity_type, plan, cause=cause)
        look_again = reevaluate if is_matched_anew else recluster
        look_again(self.work, entity_type, seeds, cause=cause.following(self.event_id))
        return cause

    def withdraw(
        self,
        kind: CauseKind,
        entity_type: str,
        record_ids: Iterable[RecordId],
        wishes: Wishes = NO_WISHES,
        *,
        undoes_id: EventId | None = None,
    ) -> Cause:
        """Take records out of every golden record until they are brought back."""
        ids = sorted(record_ids)
        sources_store.withdraw(self.connection, ids, event_id=self.event_id)
        cause = self.cause(kind, undoes_id=undoes_id)
        reevaluate(replace(self.work, wishes=wishes), self.work.declared[entity_type], ids, cause=cause)
        return cause

    def bring_back(
        self,
        kind: CauseKind,
        entity_type: str,
        returned: Mapping[GoldenId, frozenset[RecordId]],
        *,
        undoes_id: EventId | None = None,
    ) -> Cause:
        """Let records withdrawn from golden records be what their source says of them, and match them anew."""
        ids = sorted(frozenset().union(*returned.values()))
        sources_store.bring_back(self.connection, ids)
        cause = self.cause(kind, undoes_id=undoes_id)
        work = replace(self.work, wishes=Wishes(returned=returned))
        reevaluate(work, self.work.declared[entity_type], ids, cause=cause)
        return cause

    def require_expected(self) -> None:
        """Require that all golden records were at the versions expected of them before this operation, at its end.

        That holds for those that followed, and for those left alone, which could have followed. Asked last, when all
        that the operation looked at is locked. Raises GoldenRecordUnknown, VersionOutdated.
        """
        found = identity_store.select_goldens(self.connection, self.by.expected) if self.by.expected else {}
        before = {one.golden_id: one.version - 1 for one in reversed(self.work.written)}
        for golden_id in sorted(self.by.expected):
            if golden_id not in found:
                raise GoldenRecordUnknown(
                    golden_id,
                    remedy="expect versions of golden records that exist; what a dry run mints gets another id later",
                )
            self._require_expected(golden_id, before.get(golden_id, found[golden_id].version))

    def _locked(self, golden_ids: Collection[GoldenId]) -> dict[GoldenId, GoldenRecord]:
        """Lock golden records and what they lead to, and return them all as they stand then.

        Nobody decides about their entity types meanwhile. Raises GoldenRecordUnknown, VersionOutdated.
        """
        asked = sorted(golden_ids)
        found = identity_store.select_goldens_and_targets(self.connection, asked)
        if unknown := [golden_id for golden_id in asked if golden_id not in found]:
            raise GoldenRecordUnknown(unknown[0])
        decisions.hold_decisions(self.connection, *{golden.entity_type for golden in found.values()})
        while self.work.locks.hold(self.connection, found.keys()):
            found = identity_store.select_goldens_and_targets(self.connection, asked)
        failpoint("operation.locked")
        for golden_id in asked:
            self._require_expected(golden_id, found[golden_id].version)
        return found

    def _require_expected(self, golden_id: GoldenId, version: int) -> None:
        expected = self.by.expected.get(golden_id, version)
        if expected != version:
            raise VersionOutdated(golden_id, expected=expected, found=f"version {version}")


def divide(
    act: Act,
    entity_type: str,
    divisions: Sequence[Sequence[Part]],
    *,
    may_end: Callable[[Decision], bool] = by_operation,
    also: Sequence[Decision] = (),
    around: Sequence[Decision] | None = None,
) -> None:
    """Draw borders between the parts of each division: links that cross them end, and all across are different.

    See `redraw`. Raises DecisionContradicts where somebody decided in person that two of them are the same, TooLarge.
    around  the active decisions around these records, where they are known
    """
    left = untie(act, entity_type, divisions, may_end=may_end, also=also, around=around)
    act.decide(entity_type, [pair for parts in divisions for pair in across(parts)], "different", around=left)


def untie(
    act: Act,
    entity_type: str,
    divisions: Sequence[Sequence[Part]],
    *,
    may_end: Callable[[Decision], bool] = by_operation,
    also: Sequence[Decision] = (),
    around: Sequence[Decision] | None = None,
) -> Sequence[Decision] | None:
    """End the links that cross borders as `divide` does, and decide nothing about who stands across.

    Raises DecisionContradicts where links remain that somebody made in person, TooLarge. Returns the active decisions
    around these records that are left, None where there are new ones among them.
    """
    pairs_count = sum(map(count_across, divisions))
    if pairs_count > PAIRS_MAX:
        raise TooLarge(
            f"this would part {pairs_count} pairs of records of {entity_type}, at most {PAIRS_MAX} at once",
            remedy="take smaller parts out, one after the other",
        )
    if around is None:
        records = {id_ for parts in divisions for part in parts for id_ in part}
        around = decisions.decisions_around(act.connection, records)
    redrawn = [
        redraw(links, parts, may_end=may_end, also=also)
        for links, parts in zip(links_beside(around, divisions), divisions, strict=True)
    ]
    ended = {one.id: one for each in redrawn for one in each.ended}
    act.end(list(ended.values()))
    links = [link for each in redrawn for link in each.links]
    act.decide(entity_type, links, "same")
    remaining = [one for one in around if one.id not in ended]
    require_consistent(remaining, [pair for parts in divisions for pair in across(parts)], Verdict("different", ""))
    return None if links else remaining
