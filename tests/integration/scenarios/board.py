"""The board on which the scenarios are played: widgets named by one letter, and how their tests move and read them.

A shared code is worth 10 bits, an equal name 4; the match line is 8, the review line 3; different batch numbers veto.
So "alike" is a shared code, "partly alike" an equal name, and a strong identifier a code that joins or a batch that
parts.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import text

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions.model import Decision, Verdict
from mdm.hub import Hub
from mdm.identity import store as identity_store
from mdm.identity.service import golden_record
from mdm.ids import GoldenId
from mdm.jobs.model import Outcome
from mdm.jobs.service import deliver
from mdm.sources.model import SourceKey
from mdm.stewardship import service
from mdm.stewardship.model import Confirm, Effect, Merge
from mdm.survivorship.service import golden_version
from tests.hubs import delivery, golden_by_key, partition_of
from tests.integration.stewardship.acts import do

HOLD = "widget_hold"
BATCHES = "150483782", "804735132"  # two numbers that exist, hence a veto


def printed(name: str) -> str:
    """Print the key of a record by its letter; `west:a` is one of the other instance."""
    place, _, native_id = name.rpartition(":")
    return f"crm-{place or 'east'}/Account:{native_id}"


def key(name: str) -> SourceKey:
    return SourceKey.parse(printed(name))


def send(hub: Hub, name: str, /, *, kind: str = HOLD, at: int | None = None, **fields: Any) -> Outcome:
    """Deliver one widget."""
    (outcome,) = deliver(hub, [delivery(printed(name), kind, at=at, **fields)], who="test")
    assert outcome.status != "rejected", outcome
    return outcome


def delete(hub: Hub, name: str) -> None:
    deliver(hub, [delivery(printed(name), HOLD, deleted=True)], who="test")


def golden(hub: Hub, name: str) -> GoldenId:
    return GoldenId(golden_by_key(hub)[printed(name)])


def ids(hub: Hub, names: Iterable[str]) -> list[str]:
    """List the golden ids of records."""
    found = golden_by_key(hub)
    return [found[printed(name)] for name in names]


def alone(hub: Hub, names: Iterable[str]) -> dict[str, GoldenId]:
    """Deliver records that nothing joins, and give the golden id of each."""
    for name in names:
        send(hub, name, name=name, note=name)
    return {name: golden(hub, name) for name in names}


def again(hub: Hub, names: Iterable[str]) -> None:
    """Deliver news that changes nothing to match by, so that everything is matched anew."""
    for name in names:
        send(hub, name, name=name, note="again")


def groups(hub: Hub) -> set[str]:
    """Give the partition, each golden record as the letters of its members."""
    return {"".join(sorted(one[-1] for one in group)) for group in partition_of(hub)}


def standing(hub: Hub, golden_id: GoldenId) -> tuple[str, str | None]:
    """Give what an id is today, and where it leads."""
    found = run(hub.engine, lambda c: golden_record(c, golden_id))
    return found.state, found.forward_to


def values_of(hub: Hub, golden_id: GoldenId) -> Mapping[str, Any]:
    """Give the values that a golden record shows."""
    found = run(hub.engine, lambda c: golden_version(c, golden_id))
    assert found is not None
    return found.values


def values(hub: Hub, name: str) -> Mapping[str, Any]:
    """Give the values that a record's golden record shows."""
    return values_of(hub, golden(hub, name))


def judge(hub: Hub, left: str, right: str, judgement: Any) -> Decision:
    """Let a steward decide about two records."""
    return service.decide(hub, key(left), key(right), Verdict(judgement, "seen"), who="ann")


def decided(hub: Hub) -> list[tuple[str, str]]:
    """List what is decided and stands: the judgement and the letters of the two records."""
    return sorted(
        (one.verdict.judgement, "".join(sorted((one.left_key[-1], one.right_key[-1]))))
        for one in service.list_decisions(hub)
        if one.revoked_at is None
    )


def questions(hub: Hub) -> list[tuple[str, str, str]]:
    """List the open reviews: kind, and the letters of the golden records that each of its two records belongs to."""
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT q.kind, l.golden_id AS left_id, r.golden_id AS right_id FROM review q JOIN source_record l ON"
                " l.id = q.left_id JOIN source_record r ON r.id = q.right_id WHERE q.state = 'open'"
            )
        ).all()
    members: dict[str, str] = {}
    for record, golden_id in sorted(golden_by_key(hub).items()):
        members[golden_id] = members.get(golden_id, "") + record[-1]
    return sorted((row.kind, *sorted((members[row.left_id], members[row.right_id]))) for row in rows)


def merge(hub: Hub, absorbed: str, survivor: str, **by_hand: Any) -> Effect:
    """Merge the golden record of one record into that of another, whose id stays."""
    to = golden(hub, survivor)
    return do(hub, Merge(golden(hub, absorbed), to, survivor=to, **by_hand))


def establish(hub: Hub, *names: str) -> None:
    """Let a steward confirm the golden records of these records: from now on they keep their members."""
    for name in names:
        do(hub, Confirm(golden(hub, name)))


def acknowledge(hub: Hub, *names: str) -> None:
    """Let a target acknowledge the golden records of these records: they keep their members, though nobody decided."""
    ids = [golden(hub, name) for name in names]
    run(hub.engine, lambda c: identity_store.mark_published(c, ids, at=clock.now()))
