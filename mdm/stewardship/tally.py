"""What plans did, or would do, counted by entity type: for answers, of which one transaction may hold hundreds."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from mdm.identity.model import IdentityPlan, Standing
from mdm.ids import GoldenId
from mdm.stewardship.effects import net_moves


@dataclass(frozen=True, slots=True)
class Tally:
    """What becomes of the golden records of one entity type, from before the first plan until after the last.

    records     source records that change their golden record
    golden_ids  golden records there were before, that change in members, standing or values
    """

    entity_type: str
    records: int
    created: int
    forwarded: int
    restored: int
    retired: int
    golden_ids: tuple[str, ...]


def tally(plans: Iterable[IdentityPlan]) -> tuple[Tally, ...]:
    """Add plans up by entity type, those that follow from others included."""
    plans = tuple(plans)
    records = Counter(entity_type for entity_type, _ in net_moves(plans))
    return tuple(
        _added(name, [plan for plan in plans if plan.entity_type == name], records[name])
        for name in sorted({plan.entity_type for plan in plans})
    )


def _added(entity_type: str, plans: list[IdentityPlan], records: int) -> Tally:
    before: dict[GoldenId, Standing | None] = {}
    after: dict[GoldenId, Standing] = {}
    for plan in plans:
        for turn in plan.turns:
            before.setdefault(turn.golden_id, turn.before)
            after[turn.golden_id] = turn.after
    turned = Counter(
        "created" if was is None else after[id_].state for id_, was in before.items() if _turns(was, after[id_])
    )
    minted = {id_ for id_, was in before.items() if was is None}
    touched = {id_ for plan in plans for id_ in plan.touched} - minted
    return Tally(
        entity_type=entity_type,
        records=records,
        created=turned["created"],
        forwarded=turned["forwarded"],
        restored=turned["active"],
        retired=turned["retired"],
        golden_ids=tuple(sorted(map(str, touched))),
    )


def _turns(before: Standing | None, after: Standing) -> bool:
    return after.state == "active" if before is None else before.state != after.state
