"""Register source instances: what looks wrong about their system is said, and a wrong one is put right.

The system of an instance says what its words mean and where it stands among the sources. Where it is corrected, the
golden values that rest on its records are worked out again by the worker.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from sqlalchemy import Connection

from mdm import clock
from mdm.db.actor import name_actor
from mdm.entities.model import EntityType, Origin, Reason
from mdm.entities.naming import sources_named
from mdm.sources.model import SourceInstance, system_name
from mdm.sources.service import correct_system, instances, register
from mdm.sources.vendors import OBJECTS, default_object
from mdm.survivorship.store import make_due


@dataclass(frozen=True, slots=True)
class Registered:
    """An instance as it is registered now, as it was before, and what whoever registered it should know."""

    instance: SourceInstance
    before: SourceInstance | None
    warnings: tuple[Reason, ...]


def register_source(
    connection: Connection, declared: Mapping[str, EntityType], instance: SourceInstance, *, who: str
) -> Registered:
    """Register a source instance, or change all of it but its id; raises SourceConflict for the hub's own."""
    name_actor(connection, who)
    instance = replace(instance, system=system_name(instance.system))
    before = {one.id: one for one in instances(connection)}.get(instance.id)
    warnings: list[Reason] = []
    if before is None or before.system != instance.system:
        warnings += system_warnings(declared, instance.system)
    if before is not None and before.system != instance.system:
        correct_system(connection, instance, who=who)
        follow = make_due(connection, instance.id, at=clock.now())
        warnings.append(_corrected(declared, before, instance, follow))
    register(connection, instance, who=who)
    return Registered(instance, before, tuple(warnings))


def system_warnings(declared: Mapping[str, EntityType], system: str) -> tuple[Reason, ...]:
    """Warn of a system that neither a declaration nor the hub itself knows, and name the nearest one that is known."""
    vendors = {vendor for vendor, _ in OBJECTS}
    named = sources_named(declared.values()) | vendors
    if any(Origin(system=system).is_of(name) for name in named):
        return ()
    near = get_close_matches(system, sorted(named), n=1)
    return (
        Reason(
            "system",
            "system_unnamed",
            f"no declaration names the system {system[:100]!r}, so that its words and its place are those of no system",
            f"did you mean {near[0]}?" if near else f"known are {', '.join(sorted(vendors))}; one of your own is fine",
            "warn",
        ),
    )


def _corrected(
    declared: Collection[str], before: SourceInstance, instance: SourceInstance, golden_records: int
) -> Reason:
    """Say what follows by itself from another system, and what does not."""
    renamed = [
        (name, default_object(before.system, name), default_object(instance.system, name)) for name in sorted(declared)
    ]
    moved = [f"--object {old} for a {name}" for name, old, new in renamed if old != new]
    keys = f"; files that were loaded without --object need it now to keep their keys: {', '.join(moved)}"
    return Reason(
        "system",
        "system_corrected",
        f"{instance.id} was registered as {before.system}; the worker works {golden_records:,} golden records out anew",
        "load its files or send its records again, so that words which were not understood are read anew"
        + (keys if moved else ""),
        "warn",
    )
