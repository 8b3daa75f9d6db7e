"""The real services against the pure model: all that arrives, all that stewards do, all that is taken back.

News, repeats, old news, deletions, decisions, acknowledgements, overrides; merge, split, move, dissolve, take out,
confirm, retire, restore, judge, unmerge and undo, each foreseen by its dry run, and refused where the model refuses.
"""

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)
from sqlalchemy import Engine, text

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.errors import DecisionContradicts, OperationBlocked
from mdm.hub import Hub
from mdm.identity import store as identity_store
from mdm.ids import EventId, GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship import service as stewardship
from mdm.stewardship.model import (
    By,
    Confirm,
    Dissolve,
    Judge,
    Merge,
    Move,
    Operation,
    Restore,
    Retire,
    Split,
    Undo,
    Unmerge,
    UnmergeRecord,
)
from mdm.stewardship.operations import perform, preview
from mdm.stewardship.overrides import Wish, clear_override, set_override
from tests.hubs import assert_sound, delivery, golden_by_key, hub_on, hub_state, register_instances, row_marks
from tests.integration.stewardship.acts import told
from tests.properties.hub_facts import Merged, Refused, Widget
from tests.properties.hub_model import Model
from tests.properties.hub_promises import assert_order_plays_no_part, assert_promises, delivery_of

KEYS = [f"crm-{place}/Account:{number}" for place in ("east", "west") for number in range(4)]
keys = st.sampled_from(KEYS)
places = st.integers(0, 255)
widgets = st.builds(
    Widget,
    codes=st.frozensets(st.sampled_from(["aa1", "bb2", "cc3", "dd4"]), max_size=2),
    name=st.sampled_from(["red", "green", "blue"]),
    batch=st.sampled_from(["", "", "150483782", "804735132"]),
    note=st.sampled_from(["seen", "heard"]),
    time=st.just(0),
)


BY = By("steward", "because")
NEW = "this operation"  # until the hub has named it


@dataclass(frozen=True)
class Done:
    """An operation that can be undone as long as nothing else happened since: its event, and all that stood before."""

    event_id: EventId
    state: dict[str, Any]
    decided: set[tuple[frozenset[str], str]]
    model: Model


def picked(things: Iterable[Any], at: int) -> Any:
    """Pick the same thing for the same number, whatever golden ids came to be."""
    ordered = sorted(things)
    return ordered[at % len(ordered)]


class HubMachine(RuleBasedStateMachine):
    """Drive the hub and the model side by side."""

    engine: ClassVar[Engine]
    sweep: ClassVar[Callable[[], None]]
    policy: ClassVar[str]

    @initialize()
    def start(self) -> None:
        type(self).sweep()
        self.hub: Hub = hub_on(self.engine)
        self.model = Model(self.policy)
        self.entity_type = f"widget_{self.policy}"
        self.time = 0
        self.merged: list[tuple[EventId, Merged]] = []
        self.undoable: list[Done] = []
        register_instances(self.hub, "crm-east", "crm-west")

    @rule(key=keys, widget=widgets)
    def deliver_news(self, key: str, widget: Widget) -> None:
        self.time += 1
        self._deliver(key, Widget(**{**vars(widget), "time": self.time}))

    @precondition(lambda self: self.model.widgets)
    @rule(at=places)
    def deliver_the_same_again(self, at: int) -> None:
        key = picked(self.model.widgets, at)
        before = row_marks(self.hub)
        (outcome,) = deliver(self.hub, [delivery_of(self.policy, key, self.model.widgets[key])], who="test")
        assert outcome.status == "unchanged"
        assert row_marks(self.hub) == before

    @precondition(lambda self: self.model.known)
    @rule(at=places, widget=widgets)
    def deliver_old_news(self, at: int, widget: Widget) -> None:
        key = picked(self.model.known, at)
        before = row_marks(self.hub)
        (outcome,) = deliver(
            self.hub, [delivery_of(self.policy, key, Widget(**{**vars(widget), "time": -1}))], who="test"
        )
        assert outcome.status == "stale"
        assert row_marks(self.hub) == before

    @rule(batch=st.lists(st.tuples(keys, widgets), min_size=2, max_size=6, unique_by=lambda one: one[0]))
    def deliver_a_batch(self, batch: list[tuple[str, Widget]]) -> None:
        self.time += 1
        news = [(key, Widget(**{**vars(widget), "time": self.time})) for key, widget in batch]
        outcomes = deliver(self.hub, [delivery_of(self.policy, key, widget) for key, widget in news], who="test")
        assert {outcome.status for outcome in outcomes} <= {"created", "updated"}
        for key, widget in news:
            self.model.take(key, widget, widget.time)
        self.undoable = []

    @precondition(lambda self: self.model.widgets)
    @rule(at=places)
    def delete(self, at: int) -> None:
        key = picked(self.model.widgets, at)
        self.time += 1
        (outcome,) = deliver(self.hub, [delivery(key, self.entity_type, at=self.time, deleted=True)], who="test")
        assert (outcome.status, outcome.golden_id) == ("updated", None)
        self.model.take(key, None, self.time)
        self.undoable = []

    @precondition(lambda self: len(self.model.known) > 1)
    @rule(at=places, judgement=st.sampled_from(["same", "different", "unsure"]))
    def decide(self, at: int, judgement: str) -> None:
        left = picked(self.model.known, at // 16)
        right = picked(self.model.known.keys() - {left}, at % 16)
        pair = SourceKey.parse(left), SourceKey.parse(right)
        verdict = Verdict(judgement, "because")  # type: ignore[arg-type]
        if self.model.contradicts(left, right, judgement):
            with pytest.raises(DecisionContradicts) as refused:
                stewardship.decide(self.hub, *pair, verdict, who="steward")
            assert refused.value.chain
            return
        made = stewardship.decide(self.hub, *pair, verdict, who="steward")
        self.model.decide(left, right, judgement, str(made.event_id))
        self.model.acting = "decision"
        self.undoable = []

    @precondition(lambda self: self.model.decisions)
    @rule(at=places)
    def revoke(self, at: int) -> None:
        said = picked(self.model.decisions, at)
        (decision_id,) = (
            one.id
            for one in stewardship.list_decisions(self.hub, limit=10_000)
            if one.revoked_at is None
            and one.verdict.judgement == said.what
            and {one.left_key, one.right_key} == {said.left, said.right}
        )
        stewardship.revoke(self.hub, decision_id, who="steward")
        self.model.decisions.remove(said)
        self.model.acting = "revocation"
        self.undoable = []

    @precondition(lambda self: self.model.widgets)
    @rule(at=places)
    def acknowledge(self, at: int) -> None:
        gid = self.model.gid_of(picked(self.model.widgets, at))
        run(
            self.hub.engine,
            lambda connection: identity_store.mark_published(
                connection, [GoldenId(gid)], at=clock.recording_instant(connection)
            ),
        )
        self.model.acknowledge(gid)
        self.undoable = []

    @precondition(lambda self: len(self.model.members) > 1)
    @rule(at=places, survivor=st.sampled_from([None, 0, 1]))
    def merge(self, at: int, survivor: int | None) -> None:
        pair = first, second = self._two(at)
        kept = None if survivor is None else pair[survivor]
        operation = Merge(GoldenId(first), GoldenId(second), GoldenId(kept) if kept else None)
        self._do(operation, lambda model: model.merge(first, second, NEW, kept))

    @precondition(lambda self: len(self.model.members) > 1)
    @rule(at=places, judgement=st.sampled_from(["different", "unsure"]))
    def judge(self, at: int, judgement: str) -> None:
        first, second = self._two(at)
        verdict = Verdict(judgement, "because")  # type: ignore[arg-type]
        self._do(
            Judge(GoldenId(first), GoldenId(second), verdict), lambda model: model.judge(first, second, judgement, NEW)
        )

    @precondition(lambda self: any(len(keys) > 1 for keys in self.model.members.values()))
    @rule(at=places, bits=places)
    def split(self, at: int, bits: int) -> None:
        gid = self._wide(at)
        names = sorted(self.model.members[gid])
        chosen = frozenset(name for place, name in enumerate(names) if bits >> place & 1) or frozenset(names[:1])
        rest = frozenset(names) - chosen
        if not rest:
            return
        operation = Split(GoldenId(gid), (frozenset(map(SourceKey.parse, chosen)),))
        self._do(operation, lambda model: model.split([chosen, rest], NEW))

    @precondition(lambda self: len(self.model.members) > 1)
    @rule(at=places, to=places)
    def move(self, at: int, to: int) -> None:
        key = picked(self.model.widgets, at)
        gid = picked(self.model.members.keys() - {self.model.gid_of(key)}, to)
        self._do(Move(SourceKey.parse(key), GoldenId(gid)), lambda model: model.move(key, gid, NEW))

    @precondition(lambda self: any(len(keys) > 1 for keys in self.model.members.values()))
    @rule(at=places)
    def dissolve(self, at: int) -> None:
        gid = self._wide(at)
        self._do(Dissolve(GoldenId(gid)), lambda model: model.dissolve(gid, NEW))

    @precondition(lambda self: any(len(keys) > 1 for keys in self.model.members.values()))
    @rule(at=places, which=places)
    def take_out(self, at: int, which: int) -> None:
        key = picked(self.model.members[self._wide(at)], which)
        self._do(UnmergeRecord(SourceKey.parse(key)), lambda model: model.take_out(key, NEW))

    @precondition(lambda self: self.model.members)
    @rule(at=places)
    def confirm(self, at: int) -> None:
        gid = picked(self.model.members, at)
        self._do(Confirm(GoldenId(gid)), lambda model: model.confirm(gid, NEW))

    @precondition(lambda self: self.model.members)
    @rule(at=places)
    def retire(self, at: int) -> None:
        gid = picked(self.model.members, at)
        self._do(Retire(GoldenId(gid)), lambda model: model.retire(gid))

    @precondition(lambda self: self.model.withdrawn)
    @rule(at=places)
    def restore(self, at: int) -> None:
        gid = self.model.resolved(self.model.own[picked(self.model.withdrawn, at)][-1])
        if any(self.model.own[key][-1] == gid for key in self.model.withdrawn):
            is_whole = all(widget for key, widget in self.model.withdrawn.items() if self.model.own[key][-1] == gid)
            self._do(Restore(GoldenId(gid)), lambda model: model.restore(gid))
            if not is_whole:  # what its source deleted meanwhile is not withdrawn again
                self.undoable = []

    @precondition(lambda self: self.model.members)
    @rule(at=places)
    def override(self, at: int) -> None:
        gid = picked(self.model.members, at)
        self.time += 1
        note = f"said at {self.time}"
        set_override(self.hub, GoldenId(gid), Wish("note", note, "because"), who="steward")
        self.model.override(gid, note)
        self.undoable = []

    @precondition(lambda self: self.model.overrides)
    @rule(at=places)
    def clear_override(self, at: int) -> None:
        gid = picked(self.model.members, at) if self.model.members else None
        if gid is not None:
            clear_override(self.hub, GoldenId(gid), "note", who="steward")
            self.model.clear(gid)
            self.undoable = []

    @precondition(lambda self: self.merged)
    @rule(at=places)
    def unmerge(self, at: int) -> None:
        event_id, merged = self.merged[at % len(self.merged)]
        self._do(Unmerge(event_id, GoldenId(merged.absorbed)), lambda model: model.unmerge(merged, event_id, NEW))

    @precondition(lambda self: self.undoable)
    @rule()
    def undo(self) -> None:
        """Nothing else happened since: all that stood before stands again, byte for byte."""
        done = self.undoable.pop()
        perform(self.hub, Undo(done.event_id), BY)
        now = hub_state(self.hub)
        assert {name: now[name] for name in done.state} == done.state
        assert self._decided() == done.decided
        minted = now.keys() - done.state.keys()
        assert all(now[name][0] != "active" for name in minted)
        self.model = done.model
        self.model.states |= {name: (now[name][0], now[name][1]) for name in minted}

    @invariant()
    def hub_and_model_agree(self) -> None:
        if not hasattr(self, "hub"):
            return
        with self.hub.engine.connect() as connection:
            rows = connection.execute(
                text("SELECT id, instance_id || '/' || object || ':' || native_id AS key FROM source_record")
            )
            ages = {row.key: row.id for row in rows}
            states = {
                row.id: (row.state, row.forward_to)
                for row in connection.execute(text("SELECT id, state, forward_to FROM golden_record"))
            }
            flags = {
                row.id: (row.is_confirmed, row.is_acknowledged)
                for row in connection.execute(
                    text("SELECT id, is_confirmed, is_acknowledged FROM golden_record WHERE state = 'active'")
                )
            }
            notes = {
                row.golden_id: row.note
                for row in connection.execute(
                    text(
                        "SELECT golden_id, values ->> 'note' AS note FROM golden_version"
                        " WHERE recorded_to IS NULL AND state = 'active'"
                    )
                )
            }
        assert_promises(self.hub)
        self.model.settle(golden_by_key(self.hub), ages)
        assert self._decided() == {(frozenset(one[:2]), one.what) for one in self.model.decisions}
        assert notes == {gid: self.model.note_of(gid) for gid in self.model.members}
        assert states == self.model.states
        assert flags == {
            gid: (gid in self.model.confirmed, gid in self.model.acknowledged) for gid in self.model.members
        }
        for merged in self.model.merges:
            last = stewardship.events_of(self.hub, GoldenId(merged.absorbed))[-1]
            self.merged.append((last.id, merged))

    def teardown(self) -> None:
        if hasattr(self, "hub"):
            assert_sound(self.hub)
            assert_order_plays_no_part(self.hub, type(self).sweep, self.model)

    def _deliver(self, key: str, widget: Widget) -> None:
        (outcome,) = deliver(self.hub, [delivery_of(self.policy, key, widget)], who="test")
        assert outcome.status == ("updated" if key in self.model.known else "created")
        self.model.take(key, widget, widget.time)
        self.undoable = []

    def _do(self, operation: Operation, on_model: Callable[[Model], None]) -> None:
        """Carry out an operation on both sides, or have it refused by both; its dry run foretells it."""
        trial = copy.deepcopy(self.model)
        before = row_marks(self.hub)
        try:
            on_model(trial)
        except Refused:
            with pytest.raises((DecisionContradicts, OperationBlocked)):
                perform(self.hub, operation, BY)
            assert row_marks(self.hub) == before
            return
        state, decided = hub_state(self.hub), self._decided()
        foreseen = preview(self.hub, operation, BY)
        assert row_marks(self.hub) == before
        effect = perform(self.hub, operation, BY)
        assert told(foreseen, minted="new") == told(effect, minted="new")
        self.undoable.append(Done(effect.event_id, state, decided, self.model))
        trial.acting = effect.kind
        trial.decisions = [one._replace(event=effect.event_id) if one.event == NEW else one for one in trial.decisions]
        self.model = trial

    def _decided(self) -> set[tuple[frozenset[str], str]]:
        return {
            (frozenset((one.left_key, one.right_key)), one.verdict.judgement)
            for one in stewardship.list_decisions(self.hub, limit=10_000)
            if one.revoked_at is None
        }

    def _two(self, at: int) -> tuple[str, str]:
        first = picked(self.model.members, at // 16)
        return first, picked(self.model.members.keys() - {first}, at % 16)

    def _wide(self, at: int) -> str:
        return str(picked([gid for gid, keys in self.model.members.items() if len(keys) > 1], at))
