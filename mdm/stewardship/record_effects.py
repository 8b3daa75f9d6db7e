"""What an operation would do, told for people: records, ids, values, what follows elsewhere, and who is told of it."""

from collections.abc import Mapping
from typing import Final

from sqlalchemy import Connection

from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.stewardship.card_model import Named
from mdm.stewardship.model import ChangedGolden, Effect
from mdm.stewardship.record import name_all, named, references_in
from mdm.stewardship.record_history import changes_between
from mdm.stewardship.record_model import Changed, EffectSeen, GoldenEffect

FOLLOWERS_MAX: Final = 20  # chosen: golden records of one other entity type that are named


def see_effect(hub: Hub, connection: Connection, effect: Effect) -> EffectSeen:
    """Tell an effect, rehearsed or done; ids minted in a rehearsal will be others, so such records are called new."""
    own = [one for one in effect.goldens if one.after.entity_type == effect.entity_type]
    names = _names(hub, connection, effect)
    others: dict[str, list[Named]] = {}
    for one in effect.goldens:
        if one.after.entity_type != effect.entity_type:
            others.setdefault(one.after.entity_type, []).append(_named(hub, one))
    return EffectSeen(
        event_id=effect.event_id,
        kind=effect.kind,
        moved=tuple(
            (one.source_key, one.before, one.after) for one in effect.moved if one.entity_type == effect.entity_type
        ),
        goldens=tuple(_golden(hub, one, names) for one in own),
        others={name: tuple(found) for name, found in others.items()},
        made=tuple(map(str, effect.made)),
        ended=tuple(map(str, effect.ended)),
        targets=dict(effect.targets),
        expected={one.before.golden_id: one.before.version for one in effect.goldens if one.before is not None},
    )


def _golden(hub: Hub, one: ChangedGolden, names: Mapping[GoldenId, Named]) -> GoldenEffect:
    before, after = one.before, one.after
    changed: tuple[Changed, ...] = ()
    if after.state == "active":
        changed = changes_between(hub.entity_type(after.entity_type), before, after, names)
    return GoldenEffect(
        named=_named(hub, one),
        became=_became(one),
        leads_to=after.forward_to,
        version=after.version,
        version_before=before.version if before is not None else None,
        changed=changed,
    )


def _became(one: ChangedGolden) -> str:
    if one.before is None:
        return "new"
    if one.after.state != one.before.state:
        return {"active": "returned", "forwarded": "forwarded", "retired": "retired"}[one.after.state]
    return "changed" if one.after.state == "active" else "leads_on"


def _named(hub: Hub, one: ChangedGolden) -> Named:
    """Name a golden record by what it shows then, or by what it showed before it ended."""
    after, before = one.after, one.before
    values = after.values if after.values or before is None else before.values
    return named(hub, after.golden_id, after.entity_type, values)


def _names(hub: Hub, connection: Connection, effect: Effect) -> dict[GoldenId, Named]:
    wanted: set[str] = set()
    for one in effect.goldens:
        declared = hub.declared.get(one.after.entity_type)
        for version in (one.before, one.after):
            if declared is not None and version is not None:
                wanted |= references_in(declared, version.values)
    return name_all(hub, connection, wanted)
