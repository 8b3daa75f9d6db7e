"""What the tests of stewards' operations say and ask in a few letters: records a to e, each a widget of its own."""

from collections.abc import Iterable
from typing import Any

from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship.model import By, Effect, Operation
from mdm.stewardship.operations import perform
from tests.hubs import delivery, golden_by_key, partition_of

A, B, C, D, E = (f"crm-east/Account:{letter}" for letter in "abcde")


def key(text: str) -> SourceKey:
    return SourceKey.parse(text)


def send(hub: Hub, record: str, **fields: Any) -> None:
    (outcome,) = deliver(hub, [delivery(record, "widget_hold", **fields)], who="test")
    assert outcome.status != "rejected"


def delete(hub: Hub, record: str) -> None:
    deliver(hub, [delivery(record, "widget_hold", deleted=True)], who="test")


def alone(hub: Hub, *names: str) -> dict[str, GoldenId]:
    """Deliver records that nothing joins."""
    for name in names:
        send(hub, name, name=name, note=name[-1])
    return {name: GoldenId(id_) for name, id_ in golden_by_key(hub).items()}


def do(hub: Hub, operation: Operation, **said: Any) -> Effect:
    return perform(hub, operation, By(said.pop("who", "ann"), "seen", **said))


def groups(hub: Hub) -> set[str]:
    return {"".join(sorted(one[-1] for one in group)) for group in partition_of(hub)}


def ids(hub: Hub, *names: str) -> list[str]:
    golden = golden_by_key(hub)
    return [golden[name] for name in names]


def again(hub: Hub, names: Iterable[str]) -> None:
    """Deliver news that changes no name, so that everything is matched anew."""
    for name in names:
        send(hub, name, name=name, note="again")


def told(effect: Effect, *, minted: str = "") -> Any:
    """Tell an effect but for what is made anew each time: ids of decisions and events, instants.

    minted  what stands for golden ids that the operation mints; "" shows them
    """
    new = {one.after.golden_id for one in effect.goldens if minted and one.before is None}

    def shown(golden_id: GoldenId | None) -> str | None:
        return minted if golden_id in new else golden_id

    return (
        effect.kind,
        [(one.source_key, shown(one.before), shown(one.after)) for one in effect.moved],
        sorted(
            (
                shown(one.after.golden_id) or "",
                one.after.version,
                repr(one.before and one.before.values),
                repr(one.after.values),
            )
            for one in effect.goldens
        ),
        sorted((one.verdict.judgement, one.left_key, one.right_key) for one in effect.made),
        sorted((one.verdict.judgement, one.left_key, one.right_key) for one in effect.ended),
        effect.targets,
    )
