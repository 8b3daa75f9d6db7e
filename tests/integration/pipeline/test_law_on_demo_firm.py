"""The law of clusters on the demo firm: the same golden records come out of every order, batching and path."""

import random
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from sqlalchemy import Engine

from matching.bulk import match
from matching.model import EMPTY_POPULATION, MatchModel
from matching.records import records_from_rows
from mdm.demo.firm import DemoFirm, build_firm, sample
from mdm.entities.mapping import match_row
from mdm.entities.model import EntityType
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.sources.model import Accepted, Delivery, ReferenceKey
from mdm.sources.service import judge
from tests.databases import Sweeper
from tests.firms import Standing, deliveries_of, differences, register_systems, standing_of
from tests.hubs import assert_sound, declared, hub_on

CHILDREN = ("contract", "project")
PARENTS = ("customer", "resource")


@dataclass
class Firm:
    """A cut of the demo firm, and hubs with policy merge to load it into, one after the other."""

    firm: DemoFirm
    engine: Engine
    sweeper: Sweeper

    @property
    def deliveries(self) -> list[Delivery]:
        """Give its records as their systems deliver them."""
        return deliveries_of(self.firm.records)

    @contextmanager
    def hub(self) -> Iterator[Hub]:
        """Give an empty hub in which P is C."""
        self.sweeper.sweep()
        merging = {name: replace(one, policy="merge") for name, one in declared().items()}
        hub = replace(hub_on(self.engine), declared=merging)
        register_systems(hub, self.firm)
        yield hub
        assert_sound(hub)

    def loaded(self, batches: Sequence[Sequence[Delivery]]) -> Standing:
        """Load batch by batch and return what the hub holds then."""
        with self.hub() as hub:
            for batch in batches:
                assert {outcome.status for outcome in deliver(hub, batch, who="test")} <= {"created", "rejected"}
            return standing_of(hub)


@pytest.fixture(params=[300, pytest.param(1_000, marks=pytest.mark.soak)], ids="{} records".format)
def firm(request: pytest.FixtureRequest, engine: Engine, worker_database: tuple[str, Sweeper], seed: int) -> Firm:
    return Firm(sample(build_firm(), request.param, seed=seed), engine, worker_database[1])


@pytest.mark.timeout(900)
def test_every_order_batching_and_path_gives_the_same_golden_records(firm: Firm, seed: int) -> None:
    rnd = random.Random(seed)
    deliveries = firm.deliveries
    orders = [rnd.sample(deliveries, len(deliveries)) for _ in range(3)]
    children_first = sorted(deliveries, key=lambda one: one.entity_type in PARENTS)
    assert children_first[0].entity_type in CHILDREN

    expected = firm.loaded([deliveries])
    others: Mapping[str, Sequence[Sequence[Delivery]]] = {
        **{f"one by one {number}": [[one] for one in order] for number, order in enumerate(orders)},
        "in batches": list(cut(orders[0], rnd)),
        "in other batches": list(cut(orders[1], rnd)),
        "children first": [children_first],
    }

    for name, batches in others.items():
        assert not differences(expected, firm.loaded(batches)), name
    assert in_bulk(firm) == {members for members, _ in expected.values()}


def cut(deliveries: Sequence[Delivery], rnd: random.Random) -> Iterator[Sequence[Delivery]]:
    """Cut into batches of random sizes."""
    start = 0
    while start < len(deliveries):
        size = rnd.choice([1, 2, 3, 5, 10, 40, 100])
        yield deliveries[start : start + size]
        start += size


def in_bulk(firm: Firm) -> set[tuple[str, ...]]:
    """Match each entity type as a whole, parents before children, and return the clusters of them all."""
    instances = {one.id: one.system for one in firm.firm.instances}
    parent_by_key: dict[str, str] = {}
    clusters: set[tuple[str, ...]] = set()
    accepted = [
        one
        for delivery in firm.deliveries
        if isinstance(
            one := judge(declared()[delivery.entity_type], delivery, known_instances=instances, column_map={}), Accepted
        )
    ]
    at_reference = references_to(accepted)
    for name in (*PARENTS, *CHILDREN):
        entity_type = declared()[name]
        records = [one for one in accepted if one.delivery.entity_type == name]
        keys = [str(one.delivery.key) for one in records]
        contexts = None
        if entity_type.within is not None:
            contexts = [parent_by_key.get(context_of(one, entity_type, at_reference), "") for one in records]
        rows = [match_row(entity_type, one.values) for one in records]
        columns = records_from_rows(keys, [one.delivery.key.instance for one in records], rows, contexts)
        labels = match(columns, without_learning(entity_type.model)).labels.tolist()
        members: dict[int, list[str]] = {}
        for key, label in zip(keys, labels, strict=True):
            members.setdefault(label, []).append(key)
        parent_by_key |= {key: min(group) for group in members.values() for key in group}
        clusters |= {tuple(sorted(group)) for group in members.values()}
    return clusters


def references_to(accepted: Sequence[Accepted]) -> Mapping[tuple[str, str, str], list[Accepted]]:
    """Index records by what a reference names: entity type, instance, native id."""
    found: dict[tuple[str, str, str], list[Accepted]] = {}
    for one in accepted:
        key = one.delivery.key
        found.setdefault((one.delivery.entity_type, key.instance, key.native_id), []).append(one)
    return found


def context_of(
    child: Accepted, entity_type: EntityType, at_reference: Mapping[tuple[str, str, str], list[Accepted]]
) -> str:
    """Return the key of the parent a child names: of its own scope, else of none, else the lowest object."""
    for reference in child.references:
        if reference.attribute == entity_type.within:
            return min(
                (
                    (one.delivery.key.scope != reference.scope, one.delivery.key.object, str(one.delivery.key))
                    for one in at_reference.get(named(reference), ())
                    if one.delivery.key.scope in {reference.scope, ""}
                ),
                default=(False, "", ""),
            )[2]
    return ""


def named(reference: ReferenceKey) -> tuple[str, str, str]:
    return (reference.entity_type, reference.instance, reference.native_id)


def without_learning(model: MatchModel) -> MatchModel:
    """Give bulk the model that the hub uses: a population that knows nothing, and is not to be learnt anew."""
    assert model.population == EMPTY_POPULATION
    return replace(model, population=replace(EMPTY_POPULATION, generic={"none": frozenset()}))
