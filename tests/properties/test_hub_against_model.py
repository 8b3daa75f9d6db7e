"""The real services against the pure model, a thousand steps a policy, and the model against its own promises."""

import copy
import itertools
import os
import random
from collections.abc import Callable, Iterator, Sequence

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import Engine

from tests.databases import Sweeper
from tests.properties.hub_facts import Refused, Widget
from tests.properties.hub_machine import KEYS, HubMachine
from tests.properties.hub_model import Model

BY_HAND = (
    *("merge", "split", "move", "dissolve", "take_out", "confirm", "retire", "restore", "judge", "unmerge", "undo"),
    *("override", "clear_override"),
)
"""Rules of what stewards do to golden records; what is left is what arrives, and what is decided about two records."""


def drive(engine: Engine, sweeper: Sweeper, policy: str, *, examples: int, without: Sequence[str] = ()) -> None:
    left_out = dict.fromkeys(without)
    facts = {"engine": engine, "sweep": staticmethod(sweeper.sweep), "policy": policy}
    machine = type("Machine", (HubMachine,), facts | left_out)
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
def test_hub_takes_what_arrives_as_the_model_says_for_twenty_thousand_steps(
    engine: Engine, worker_database: tuple[str, Sweeper], policy: str
) -> None:
    """News, repeats, old news, deletions, decisions and what targets acknowledge, and no operation of a steward."""
    assert all(hasattr(HubMachine, rule) for rule in BY_HAND)
    drive(engine, worker_database[1], policy, examples=400, without=BY_HAND)


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
            for left, right, judgement, *_ in model.decisions:
                if left in where and right in where:
                    assert (where[left] == where[right]) == (judgement == "same")
            assert where.keys() == model.widgets.keys()
            for state, target in model.states.values():
                assert state != "forwarded" or (target is not None and model.states[target][0] != "forwarded")


def random_step(model: Model, rnd: random.Random, time: int) -> None:
    kind = rnd.choice(["news", "news", "news", "delete", "decide", "revoke", "acknowledge", *OPERATIONS])
    if kind == "delete" and model.widgets:
        del model.widgets[rnd.choice(sorted(model.widgets))]
    elif kind in OPERATIONS and len(model.members) > 1:
        random_operation(model, rnd, kind)
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


OPERATIONS = ("merge", "split", "move", "dissolve", "take out", "confirm", "unmerge")


def random_operation(model: Model, rnd: random.Random, kind: str) -> None:
    """Do something to golden records; what is refused changes nothing."""
    trial, gid, key = copy.deepcopy(model), rnd.choice(sorted(model.members)), rnd.choice(sorted(model.widgets))
    other = rnd.choice(sorted(model.members.keys() - {gid}))
    names = sorted(model.members[gid])
    acts: dict[str, Callable[[], None]] = {
        "merge": lambda: trial.merge(gid, other, "event", None),
        "split": lambda: trial.split([frozenset(names[:1]), frozenset(names[1:])], "event"),
        "move": lambda: trial.move(key, rnd.choice(sorted(trial.members.keys() - {trial.gid_of(key)})), "event"),
        "dissolve": lambda: trial.dissolve(gid, "event"),
        "take out": lambda: trial.take_out(names[0], "event"),
        "confirm": lambda: trial.confirm(gid, "event"),
        "unmerge": lambda: trial.unmerge(trial.merges[0], "event", "event"),
    }
    if (kind in {"split", "dissolve", "take out"} and len(names) < 2) or (kind == "unmerge" and not model.merges):
        return
    try:
        acts[kind]()
    except Refused:
        return
    vars(model).update(vars(trial))


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
