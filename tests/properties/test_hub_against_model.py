"""The real services against the pure model: news, repeats, old news, deletions, decisions, acknowledgements."""

import itertools
import os
import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import Engine, text

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.errors import DecisionContradicts
from mdm.hub import Hub
from mdm.identity import store as identity_store
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship import service as stewardship
from tests.databases import Sweeper
from tests.hubs import assert_sound, delivery, golden_by_key, hub_on, register_instances, row_marks
from tests.properties.hub_model import Model, Widget

KEYS = [f"crm-{place}/Account:{number}" for place in ("east", "west") for number in range(4)]
keys = st.sampled_from(KEYS)
places = st.integers(0, 255)
widgets = st.builds(
    Widget,
    codes=st.frozensets(st.sampled_from(["aa1", "bb2", "cc3", "dd4"]), max_size=2),
    name=st.sampled_from(["red", "green", "blue"]),
    batch=st.sampled_from(["", "", "150483782", "804735132"]),
    note=st.sampled_from(["x", "y"]),
    time=st.just(0),
)


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
        self.made: list[tuple[str, Any]] = []
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
        (outcome,) = deliver(self.hub, [self._delivery(key, self.model.widgets[key])], who="test")
        assert outcome.status == "unchanged"
        assert row_marks(self.hub) == before

    @precondition(lambda self: self.model.known)
    @rule(at=places, widget=widgets)
    def deliver_old_news(self, at: int, widget: Widget) -> None:
        key = picked(self.model.known, at)
        before = row_marks(self.hub)
        (outcome,) = deliver(self.hub, [self._delivery(key, Widget(**{**vars(widget), "time": -1}))], who="test")
        assert outcome.status == "stale"
        assert row_marks(self.hub) == before

    @rule(batch=st.lists(st.tuples(keys, widgets), min_size=2, max_size=6, unique_by=lambda one: one[0]))
    def deliver_a_batch(self, batch: list[tuple[str, Widget]]) -> None:
        self.time += 1
        news = [(key, Widget(**{**vars(widget), "time": self.time})) for key, widget in batch]
        outcomes = deliver(self.hub, [self._delivery(key, widget) for key, widget in news], who="test")
        assert {outcome.status for outcome in outcomes} <= {"created", "updated"}
        for key, widget in news:
            self.model.widgets[key] = widget
            self.model.known[key] = widget.time

    @precondition(lambda self: self.model.widgets)
    @rule(at=places)
    def delete(self, at: int) -> None:
        key = picked(self.model.widgets, at)
        self.time += 1
        (outcome,) = deliver(self.hub, [delivery(key, self.entity_type, at=self.time, deleted=True)], who="test")
        assert (outcome.status, outcome.golden_id) == ("updated", None)
        del self.model.widgets[key]
        self.model.known[key] = self.time

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
        self.model.decide(left, right, judgement)
        self.made.append((judgement, (made.id, {left, right})))

    @precondition(lambda self: self.model.decisions)
    @rule(at=places)
    def revoke(self, at: int) -> None:
        left, right, judgement = picked(self.model.decisions, at)
        decision_id = next(
            id_ for what, (id_, pair) in reversed(self.made) if what == judgement and pair == {left, right}
        )
        stewardship.revoke(self.hub, decision_id, who="steward")
        self.model.decisions.remove((left, right, judgement))

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
        self.model.settle(golden_by_key(self.hub), ages)
        assert states == self.model.states

    def teardown(self) -> None:
        if hasattr(self, "hub"):
            assert_sound(self.hub)

    def _deliver(self, key: str, widget: Widget) -> None:
        (outcome,) = deliver(self.hub, [self._delivery(key, widget)], who="test")
        assert outcome.status == ("updated" if key in self.model.known else "created")
        self.model.widgets[key] = widget
        self.model.known[key] = widget.time

    def _delivery(self, key: str, widget: Widget) -> Any:
        codes = sorted(widget.codes)
        return delivery(
            key, self.entity_type, at=widget.time, name=widget.name, codes=codes, batch=widget.batch, note=widget.note
        )


def drive(engine: Engine, sweeper: Sweeper, policy: str, *, examples: int) -> None:
    machine = type("Machine", (HubMachine,), {"engine": engine, "sweep": staticmethod(sweeper.sweep), "policy": policy})
    profile = settings(
        max_examples=examples,
        stateful_step_count=50,
        deadline=None,
        database=None,
        derandomize=os.environ.get("MDM_TEST_PROFILE") != "soak",
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(machine, settings=profile)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("policy", ["hold", "merge"])
def test_hub_does_what_the_model_says_for_a_thousand_steps(
    engine: Engine, worker_database: tuple[str, Sweeper], policy: str
) -> None:
    drive(engine, worker_database[1], policy, examples=20)


@pytest.mark.soak
@pytest.mark.parametrize("policy", ["hold", "merge"])
def test_hub_does_what_the_model_says_for_twenty_thousand_steps(
    engine: Engine, worker_database: tuple[str, Sweeper], policy: str
) -> None:
    drive(engine, worker_database[1], policy, examples=400)


def test_model_keeps_its_own_promises_for_twenty_thousand_steps(seed: int) -> None:
    """The model alone is quick: what it foretells must obey the decisions and the ids it gave out."""
    rnd = random.Random(seed)
    minted = itertools.count()
    for _ in range(400):
        model = Model(rnd.choice(["hold", "merge"]))
        for step in range(50):
            random_step(model, rnd, step)
            follow(model, minted)
            where = {key: gid for gid, members in model.members.items() for key in members}
            for left, right, judgement in model.decisions:
                if left in where and right in where:
                    assert (where[left] == where[right]) == (judgement == "same")
            assert where.keys() == model.widgets.keys()
            for state, target in model.states.values():
                assert state != "forwarded" or (target is not None and model.states[target][0] != "forwarded")


def random_step(model: Model, rnd: random.Random, time: int) -> None:
    kind = rnd.choice(["news", "news", "news", "delete", "decide", "decide", "revoke", "acknowledge"])
    if kind == "delete" and model.widgets:
        del model.widgets[rnd.choice(sorted(model.widgets))]
    elif kind == "decide" and len(model.known) > 1:
        left, right = rnd.sample(sorted(model.known), 2)
        judgement = rnd.choice(["same", "different", "unsure"])
        if not model.contradicts(left, right, judgement):
            model.decide(left, right, judgement)
    elif kind == "revoke" and model.decisions:
        model.decisions.remove(rnd.choice(model.decisions))
    elif kind == "acknowledge" and model.members:
        model.acknowledge(rnd.choice(sorted(model.members)))
    else:
        key = rnd.choice(KEYS)
        codes = frozenset(rnd.sample(["aa1", "bb2", "cc3", "dd4"], rnd.randint(0, 2)))
        batch = rnd.choice(["", "", "150483782", "804735132"])
        model.widgets[key] = Widget(codes, rnd.choice(["red", "green", "blue"]), batch, "x", time)
        model.known[key] = time


def follow(model: Model, minted: Iterator[int]) -> None:
    """Stand in for the hub: give each group the id that the model foretells, or a new one."""
    ages = {key: key for key in model.widgets}
    groups = model.partition()
    model.age.update(ages)
    foretold = model.foretell(groups)
    observed: dict[str, str] = {}
    for group in sorted(groups, key=min):
        observed |= dict.fromkeys(group, foretold[group] or f"new_{next(minted):08d}")
    model.settle(observed, ages)
