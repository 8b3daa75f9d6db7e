"""Use cases on the audit log: seal it, export checkpoints, verify it, read it, erase what its digests commit to.

Triggers append the entries in the transaction of each change (docs/decisions/0007). Sealing comes after: one sealer at
a time takes what has committed and chains it in an order of commits, so that no writer waits for another. Whatever a
killed sealer had not committed is sealed by the next.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import Connection, Engine

from mdm.db.actor import name_actor
from mdm.db.transaction import run, transaction
from mdm.history import checkpoints, store
from mdm.history.chain import Walk, chained
from mdm.history.checkpoints import Exported
from mdm.history.model import AUDITED, Entry, Fault, Sealed, Verification

SEALED_MAX: Final = 50_000  # chosen: half a second of work and 20 MB in one transaction
ROW_FAULTS_MAX: Final = 100  # chosen: of one table; the first tell enough
GUARDS: Final = frozenset(
    {
        ("audit_entry", "audit_refuse", "audit_refuse"),
        ("audit_seal", "audit_refuse", "audit_refuse"),
        ("audit_salt", "audit_refuse", "audit_refuse"),
        ("audit_salt", "audit_delete", "audit"),
        *((one.table, f"audit_{event}", "audit") for one in AUDITED for event in ("insert", "update", "delete")),
        *((one.table, "audit_refuse", "audit_refuse") for one in AUDITED),
    }
)


def seal(engine: Engine, *, limit: int = SEALED_MAX) -> int:
    """Chain a bounded number of entries that have committed; return how many, 0 while another sealer is at it."""
    return run(engine, lambda connection: _seal_some(connection, limit))


def export_checkpoint(engine: Engine, *, folder: Path, home: Path) -> int:
    """Sign and export how far the log is sealed, unless the newest checkpoint says so; return the number of files."""
    known = checkpoints.newest_size(folder)
    found = run(engine, lambda connection: store.select_head(connection, known))
    if found is None:
        return 0
    checkpoints.export(found, folder, home)
    return 1


def sealed(connection: Connection) -> Sealed:
    """Say how far the log is sealed."""
    return store.select_sealed(connection)


def entries(
    connection: Connection, *, is_sealed: bool = True, subject_id: str | None = None, after: int = 0, limit: int
) -> tuple[Entry, ...]:
    """List sealed entries by position, or those not sealed yet by id."""
    return store.select_entries(connection, is_sealed=is_sealed, subject_id=subject_id, after=after, limit=limit)


def erase_salts(connection: Connection, subject_ids: Sequence[str], *, who: str) -> int:
    """Let the digests of all entries of some subjects tell nothing for ever; the chain goes on to verify.

    An entry records each erased salt. Erase after the rows themselves were blanked: that is a change with an entry of
    its own, whose digest stays comparable when only earlier entries lost their salts.
    """
    name_actor(connection, who)
    return store.delete_salts(connection, subject_ids)


def verify(engine: Engine, *, folder: Path, keys: Sequence[Ed25519PublicKey]) -> Verification:
    """Verify chain, digests, triggers and exported checkpoints of one moment, and name every fault with its place."""
    exported = list(checkpoints.read(folder, list(keys)))
    signed = [one for one in exported if one.checkpoint is not None]
    walk = Walk(one.checkpoint.size for one in signed if one.checkpoint is not None)
    with transaction(engine) as connection:
        store.read_repeatably(connection)
        store.take_time(connection)
        walk.follow(store.read_chain(connection))
        hub_id = store.select_hub_id(connection)
        tail = store.select_tail(connection)
        guards = store.select_guards(connection)
        rows_count = sum(store.count_rows(connection, one) for one in AUDITED)
        erased_count = store.count_erased(connection)
        row_faults = [
            fault for one in AUDITED for fault in store.select_row_faults(connection, one, limit=ROW_FAULTS_MAX)
        ]
    own = [one for one in signed if one.checkpoint is not None and one.checkpoint.hub_id == hub_id]
    faults = [
        *walk.faults(),
        *_checkpoint_faults(walk, own, is_sound=not (row_faults or walk.faults())),
        *(Fault("foreign", str(one.path), "it is of another hub") for one in signed if one not in own),
        *(Fault("forged", str(one.path), one.reason) for one in exported if one.checkpoint is None),
        *row_faults,
        *(
            Fault("unguarded", f"{table} {name}", "the trigger is off or gone")
            for table, name, _ in sorted(GUARDS - guards)
        ),
    ]
    return Verification(
        hub_id=hub_id,
        sealed=walk.size,
        head=walk.head,
        unsealed=tail,
        rows=rows_count,
        erased=erased_count,
        checkpoints=len(own),
        checkpoint_size=max((one.checkpoint.size for one in own if one.checkpoint is not None), default=0),
        faults=tuple(faults),
    )


def _seal_some(connection: Connection, limit: int) -> int:
    if not store.try_lock_sealing(connection):
        return 0
    store.take_time(connection)
    progress = store.select_progress(connection)
    found = store.select_unsealed(connection, progress, limit=limit)
    if found:
        store.insert_seals(connection, chained(progress.head, progress.size, found))
        if len(found) < limit:
            store.note_snapshot(connection, progress.now)
    return len(found)


def _checkpoint_faults(walk: Walk, own: Sequence[Exported], *, is_sound: bool) -> list[Fault]:
    """Compare what was signed with the log as it is: each checkpoint is to be a prefix of it.

    is_sound  the log verifies as far as it goes, and all rows agree with it
    """
    faults = []
    sizes = [(one.checkpoint.size, one.checkpoint.head, one.path) for one in own if one.checkpoint is not None]
    beyond = [(size, path) for size, _, path in sizes if size > walk.size]
    if beyond:
        size, path = max(beyond)
        told = f"{path} signed {size:,} entries, the log ends at {walk.size:,}"
        where = f"positions {walk.size + 1} to {size}"
        if is_sound:
            faults.append(Fault("restored", where, f"{told}; the rows agree with the log: an older backup"))
        else:
            faults.append(Fault("truncated", where, told))
    differing = sorted((size, path) for size, head, path in sizes if size in walk.hashes and walk.hashes[size] != head)
    if differing:
        size, path = differing[0]
        agreed = max((s for s, head, _ in sizes if s < size and walk.hashes.get(s) == head), default=0)
        told = f"the log is not the one that {path} signed"
        more = f" ({len(differing) - 1} later ones neither)" if len(differing) > 1 else ""
        faults.append(Fault("rewritten", f"positions {agreed + 1} to {size}", told + more))
    return faults
