"""A file target: a folder with one CSV for each source instance and entity type, the way back into every system.

A row has the system's own key, the golden id and the golden values; a reference is the key that the same system uses
for what is meant, with its golden id beside it. A file shows the whole present state in the order of the keys, so the
same state gives the same bytes. Files are written first and the lanes acknowledged after: a kill in between repeats the
same files. What was acknowledged counts as established.
"""

import fcntl
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine

from mdm import clock
from mdm.db.actor import name_actor
from mdm.db.transaction import run
from mdm.entities.model import EntityType
from mdm.errors import DatabaseUnavailable, InputInvalid, TargetUnknown, Unavailable
from mdm.failpoints import failpoint
from mdm.identity import store as identity_store
from mdm.identity.service import GoldenLocks
from mdm.ids import GoldenId
from mdm.publishing import store
from mdm.publishing.files import write_rows
from mdm.publishing.model import Lane, SnapshotRow, Synced, Target

LANES_MAX: Final = 100_000  # chosen: lanes that one acknowledging transaction ends; the next round takes the rest
KEY_COLUMNS: Final = ("native_id", "object", "scope", "golden_id", "golden_version")

_Declared = Mapping[str, EntityType]
# Golden id → (scope, native id) of the records that one system has of it.
_OwnKeys = Mapping[GoldenId, Sequence[tuple[str, str]]]


def add_target(
    connection: Connection,
    target_id: str,
    folder: Path,
    entity_types: Sequence[str],
    *,
    who: str,
    follows_new_types: bool = False,
) -> Target:
    """Add a file target, or change it, and queue the present state of all it was not told of; another folder is new."""
    if not target_id.strip():
        raise InputInvalid("a target needs an id", remedy="name it, as in erp-files", field="id")
    known = {target.id: target for target in store.select_targets(connection)}.get(target_id)
    configuration = {"folder": str(folder.absolute()), "follows_new_types": follows_new_types}
    target = Target(target_id, "file", tuple(entity_types), configuration)
    name_actor(connection, who)
    store.insert_target(connection, target, who=who)
    if known is not None and known.configuration["folder"] != configuration["folder"]:
        store.forget_acknowledged(connection, target_id)
    store.insert_backlog(connection, target_id, at=clock.recording_instant(connection), who=who)
    return target


def targets(connection: Connection) -> tuple[Target, ...]:
    """List the targets."""
    return store.select_targets(connection)


def remove_target(connection: Connection, target_id: str, *, who: str) -> None:
    """Forget a target and what waits for it; its files stay, and so does what they established.

    Raises TargetUnknown.
    """
    name_actor(connection, who)
    if not store.delete_target(connection, target_id):
        raise TargetUnknown(target_id)


def sync_all(engine: Engine, declared: _Declared) -> tuple[Synced, ...]:
    """Bring every target up to date; one that cannot be written says so and holds up no other."""
    return tuple(_sync_or_say(engine, declared, target) for target in run(engine, targets) if target.kind == "file")


def sync(engine: Engine, declared: _Declared, target_id: str) -> Synced:
    """Bring one target of files up to date.

    Raises TargetUnknown, InputInvalid for a target of another kind, and Unavailable when its folder cannot be written.
    """
    found = {target.id: target for target in run(engine, targets)}
    if target_id not in found:
        raise TargetUnknown(target_id)
    if found[target_id].kind != "file":
        raise InputInvalid(
            f"{target_id} is a target of kind {found[target_id].kind}",
            remedy="`mdm worker` tells it by itself; `mdm targets show` says how it stands",
            field="target",
        )
    return _sync(engine, declared, found[target_id])


def _sync_or_say(engine: Engine, declared: _Declared, target: Target) -> Synced:
    try:
        return _sync(engine, declared, target)
    except DatabaseUnavailable:
        raise
    except Unavailable as error:
        return Synced(target.id, {}, 0, f"{error.message}; {error.remedy}")


def _sync(engine: Engine, declared: _Declared, target: Target) -> Synced:
    folder = Path(target.configuration["folder"])
    with _alone(folder) as is_alone:
        if not is_alone:
            return Synced(target.id, {}, 0)
        target = run(engine, lambda connection: _with_new_types(connection, declared, target))
        lanes, rows_by_file = run(engine, lambda connection: _read(connection, declared, target))
        if not lanes:
            return Synced(target.id, {}, 0)
        files = {}
        for (instance, entity_type), rows in rows_by_file.items():
            name = f"{instance}.{entity_type}.csv"
            files[name] = write_rows(folder / name, _columns(declared[entity_type]), rows)
        failpoint("publish.written")
        run(engine, lambda connection: _acknowledge(connection, declared, lanes))
        return Synced(target.id, files, len(lanes))


def _with_new_types(connection: Connection, declared: _Declared, target: Target) -> Target:
    """Subscribe a target of all entity types to those that were declared since."""
    types = sorted({*declared, *target.entity_types})
    if not target.configuration.get("follows_new_types") or len(types) == len(target.entity_types):
        return target
    folder = Path(target.configuration["folder"])
    return add_target(connection, target.id, folder, types, who="sync", follows_new_types=True)


@contextmanager
def _alone(folder: Path) -> Iterator[bool]:
    """Hold the folder for this process; False while another one writes there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        door = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        raise Unavailable(
            f"the folder {folder} of a file target cannot be written: {error.strerror}",
            remedy="mend its permissions, or name another folder with `mdm targets add`",
        ) from error
    try:
        fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield True
    except BlockingIOError:
        yield False
    finally:
        os.close(door)


def _read(
    connection: Connection, declared: _Declared, target: Target
) -> tuple[tuple[Lane, ...], dict[tuple[str, str], list[dict[str, Any]]]]:
    """Read what waits and, when something does, the state of every file, all of one instant."""
    store.begin_snapshot(connection)
    lanes = store.select_waiting_lanes(connection, target.id, after="", limit=LANES_MAX)
    if not lanes:
        return (), {}
    rows_by_file = {}
    own_keys: dict[str, _OwnKeys] = {}
    for instance, entity_type in store.select_origins(connection, [t for t in target.entity_types if t in declared]):
        if instance not in own_keys:
            own_keys[instance] = _own_keys(connection, instance)
        snapshot = store.select_snapshot(connection, instance, entity_type)
        rows_by_file[instance, entity_type] = [_row(declared[entity_type], one, own_keys[instance]) for one in snapshot]
    return lanes, rows_by_file


def _own_keys(connection: Connection, instance: str) -> _OwnKeys:
    keys: defaultdict[GoldenId, list[tuple[str, str]]] = defaultdict(list)
    for golden_id, scope, native_id in store.select_own_keys(connection, instance):
        keys[golden_id].append((scope, native_id))
    return keys


def _columns(entity_type: EntityType) -> tuple[str, ...]:
    """Name the columns of a file: the key, then each attribute; a reference has a second one with the golden id."""
    columns = list(KEY_COLUMNS)
    for attribute in entity_type.attributes.values():
        columns.append(attribute.name)
        if attribute.reference is not None:
            columns.append(f"{attribute.name}_golden_id")
    return tuple(columns)


def _row(entity_type: EntityType, one: SnapshotRow, own_keys: _OwnKeys) -> dict[str, Any]:
    row: dict[str, Any] = {
        "native_id": one.native_id,
        "object": one.object,
        "scope": one.scope,
        "golden_id": str(one.golden_id),
        "golden_version": str(one.version),
    }
    for attribute in entity_type.attributes.values():
        value = one.values.get(attribute.name)
        if value is not None and attribute.reference is not None:
            row[f"{attribute.name}_golden_id"] = value
            pointed = [
                _own_key(own_keys, GoldenId(id_), one.scope) for id_ in (value if attribute.is_list else [value])
            ]
            kept = [key for key in pointed if key is not None]
            value = kept if attribute.is_list else next(iter(kept), None)
        row[attribute.name] = value
    return row


def _own_key(own_keys: _OwnKeys, golden_id: GoldenId, scope: str) -> str | None:
    """Choose the key that a system uses for a golden record: in the same scope, else without scope, else the first."""
    keys = own_keys.get(golden_id, ())
    ranked = sorted(keys, key=lambda key: (key[0] != scope, key[0] != ""))
    return ranked[0][1] if ranked else None


def _acknowledge(connection: Connection, declared: _Declared, lanes: Sequence[Lane]) -> None:
    """End the lanes as they were read; a golden record that changed meanwhile was not delivered as it is now."""
    ids = [lane.golden_id for lane in lanes]
    GoldenLocks(one.id_prefix for one in declared.values()).hold(connection, ids)
    goldens = identity_store.select_goldens(connection, ids)
    store.acknowledge(connection, lanes)
    delivered = [lane.golden_id for lane in lanes if goldens[lane.golden_id].version == lane.head]
    active = [id_ for id_ in delivered if goldens[id_].state == "active"]
    identity_store.mark_published(connection, active, at=clock.recording_instant(connection))
    failpoint("publish.acknowledged")
