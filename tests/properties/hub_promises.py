"""What holds of the hub whatever the model says: after each step, and when the same facts come in another order.

The numbers are those of `mdm check`. After each step: I1 to I4 on members and forwards, I9 and I10 on decisions, I11 on
values, I12 on their sources, I13 on versions. I5, I14 and I15 are steps and comparisons of the machine itself.
"""

import random
from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import text

from mdm import clock
from mdm.db.transaction import reading
from mdm.decisions.model import Verdict
from mdm.hub import Hub
from mdm.identity import store as identity_store
from mdm.ids import GoldenId
from mdm.jobs.check import INVARIANTS
from mdm.jobs.service import deliver
from mdm.sources.model import Delivery, SourceKey
from mdm.stewardship import service as stewardship
from mdm.survivorship import service as survivorship
from mdm.survivorship import store as survivorship_store
from tests.hubs import delivery, golden_by_key, hub_state, register_instances
from tests.properties.hub_facts import Widget
from tests.properties.hub_model import Model

_STEP: Final = {"I1", "I2", "I3", "I4", "I9", "I10", "I12", "I13"}
# One statement in place of nine: a step takes 50 ms, and a round trip each would be a fifth of it.
_BROKEN: Final = " UNION ALL ".join(
    f"SELECT {number}, CAST(broken.* AS text) FROM ({query}) AS broken"
    for number, (name, query) in enumerate(INVARIANTS.items())
    if not _STEP.isdisjoint(name.split())
)
Values = dict[frozenset[str], dict[str, Any]]


def assert_promises(hub: Hub) -> None:
    """Ask the queries of `mdm check` on records and golden records, and work out every golden value again."""
    with reading(hub.engine) as connection:
        names = list(INVARIANTS)
        assert [(names[row[0]], row[1]) for row in connection.execute(text(_BROKEN))] == []
        active = connection.execute(text("SELECT id FROM golden_record WHERE state = 'active' ORDER BY id")).scalars()
        ids = [GoldenId(id_) for id_ in active]
        stored, now = survivorship_store.select_checksums(connection, ids), clock.now()
        for id_, golden in identity_store.select_goldens(connection, ids).items():
            entity_type = hub.declared[golden.entity_type]
            assert survivorship.recompute(connection, entity_type, golden, at=now) == stored[id_], f"I11 {id_}"


def assert_order_plays_no_part(hub: Hub, sweep: Callable[[], None], model: Model) -> None:
    """I16: tell an empty hub the same records and decisions, in another order and other batches.

    Nothing is established there, so that its partition is C: with policy merge what stood before, with policy hold what
    the law says of the facts alone. Golden records of the same members have the same values.
    """
    before = _values_by_members(hub)
    chance = random.Random(len(model.decisions))
    keys = chance.sample(sorted(model.widgets), len(model.widgets))
    said = [one for one in model.decisions if {one.left, one.right} <= model.widgets.keys()]
    sweep()
    register_instances(hub, "crm-east", "crm-west")
    while keys:
        batch, keys = keys[: (size := chance.randint(1, 6))], keys[size:]
        told = [delivery_of(model.policy, key, model.widgets[key]) for key in batch]
        assert {outcome.status for outcome in deliver(hub, told, who="test")} == {"created"}
    for one in chance.sample(said, len(said)):
        verdict = Verdict(one.what, "because")  # type: ignore[arg-type]  # the model keeps it as text
        stewardship.decide(hub, SourceKey.parse(one.left), SourceKey.parse(one.right), verdict, who="steward")

    after = _values_by_members(hub)
    facts = Model(model.policy, widgets=model.widgets, decisions=model.decisions)
    assert after.keys() == facts.partition()
    assert model.policy == "hold" or after.keys() == before.keys()
    for members in after.keys() & before.keys():
        overridden = {"note"} if any(key in members for key, _ in model.overrides) else set()
        assert _without(after[members], overridden) == _without(before[members], overridden), members


def delivery_of(policy: str, key: str, widget: Widget) -> Delivery:
    """Say of a record what its source says."""
    entity_type, codes = f"widget_{policy}", sorted(widget.codes)
    return delivery(
        key, entity_type, at=widget.time, name=widget.name, codes=codes, batch=widget.batch, note=widget.note
    )


def _values_by_members(hub: Hub) -> Values:
    members: dict[str, set[str]] = {}
    for key, golden_id in golden_by_key(hub).items():
        members.setdefault(golden_id, set()).add(key)
    state = hub_state(hub)
    return {frozenset(keys): state[golden_id][4] for golden_id, keys in members.items()}


def _without(values: dict[str, Any], names: set[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
