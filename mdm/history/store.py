"""SQL of the audit log, one function a question.

Entries travel as COPY writes them, since the hash of an entry is that of its written form, and a million of them are
read in seconds. Only functions of `pg_catalog` are called, never those that the triggers use.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg import Connection as DriverConnection
from sqlalchemy import Connection, Row

from mdm.db.locks import key_hash
from mdm.db.statement import text
from mdm.history.chain import GENESIS
from mdm.history.model import AUDITED, Audited, Checkpoint, Entry, Fault, FaultKind, Place, Progress, Sealed, Tail

# The written form of an entry: what is hashed. Numbers, text and hexadecimal digits are written alike under every
# setting of a session.
_WRITTEN: Final = (
    "e.id, e.xid, CAST(extract(epoch FROM e.recorded_at) * 1000000 AS bigint), e.who, e.action, e.subject_id,"
    " e.related, e.changed, encode(e.digest, 'hex')"
)
_SEALING: Final = key_hash("audit", "sealing")
_UNSEALED: Final = "NOT EXISTS (SELECT FROM audit_seal AS s WHERE s.entry_id = e.id)"


def try_lock_sealing(connection: Connection) -> bool:
    """Become the one sealer until the transaction ends, without waiting."""
    return bool(connection.execute(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _SEALING}).scalar_one())


def take_time(connection: Connection) -> None:
    """Let the statements of this transaction run as long as they need: a backlog of millions is sorted in one."""
    connection.execute(text("SET LOCAL statement_timeout = 0"))


def select_progress(connection: Connection) -> Progress:
    """Say how far the log is sealed, and take the snapshot of this moment."""
    row = connection.execute(
        text(
            "SELECT a.hub_id, s.position, s.hash, CAST(CAST(e.xid AS text) AS bigint) AS xid,"
            " CAST(pg_current_snapshot() AS text) AS now, CASE WHEN a.system = CAST(c.system_identifier AS text)"
            " THEN a.snapshot END AS snapshot FROM audit_state AS a CROSS JOIN pg_control_system() AS c"
            " LEFT JOIN (SELECT * FROM audit_seal ORDER BY position DESC LIMIT 1) AS s ON true"
            " LEFT JOIN audit_entry AS e ON e.id = s.entry_id"
        )
    ).one()
    floor, running = _still_open(row.snapshot)
    return Progress(
        hub_id=row.hub_id,
        size=row.position or 0,
        head=bytes(row.hash) if row.hash is not None else GENESIS,
        last_xid=row.xid,
        floor=floor,
        running=running,
        now=row.now,
    )


def select_unsealed(connection: Connection, progress: Progress, *, limit: int) -> list[tuple[int, bytes]]:
    """List unsealed entries (id, as written) in the order in which they are to be sealed.

    The entries of a transaction stay together. Transactions go by their last entry: one that built on another wrote it
    after the other had committed. Only transactions that the last noted snapshot did not show are looked at.
    """
    where = _UNSEALED
    if progress.floor is not None:
        running = ",".join(map(str, progress.running))
        where += f" AND (e.xid >= '{progress.floor:d}' OR e.xid = ANY (CAST('{{{running}}}' AS xid8[])))"
    query = (
        f"COPY (SELECT {_WRITTEN} FROM (SELECT e.*, max(e.id) OVER (PARTITION BY e.xid) AS last_id"
        f" FROM audit_entry AS e WHERE {where}) AS e"
        f" ORDER BY e.xid <> '{progress.last_xid or 0:d}', e.last_id, e.id LIMIT {limit:d}) TO STDOUT"
    )
    with _driver(connection).cursor() as cursor, cursor.copy(query) as copy:
        lines = map(bytes, copy)
        return [(int(line[: line.index(b"\t")]), line.rstrip(b"\n")) for line in lines]


def insert_seals(connection: Connection, places: Sequence[Place]) -> None:
    """Append links to the chain."""
    lines = "".join(f"{one.position}\t{one.entry_id}\t\\\\x{one.leaf.hex()}\t\\\\x{one.hash.hex()}\n" for one in places)
    query: LiteralString = "COPY audit_seal (position, entry_id, leaf, hash) FROM STDIN"
    with _driver(connection).cursor() as cursor, cursor.copy(query) as copy:
        copy.write(lines.encode("ascii"))


def note_snapshot(connection: Connection, snapshot: str) -> None:
    """Note that whatever a snapshot shows is sealed."""
    connection.execute(
        text(
            "UPDATE audit_state SET snapshot = :snapshot,"
            " system = (SELECT CAST(system_identifier AS text) FROM pg_control_system())"
        ),
        {"snapshot": snapshot},
    )


def read_repeatably(connection: Connection) -> None:
    """Let all that follows in the transaction see one moment, and change nothing."""
    connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY"))


def read_chain(connection: Connection) -> Iterator[Place]:
    """Read every link in the order of positions, with the entry it seals as written."""
    query = (
        "COPY (SELECT s.position, s.entry_id, encode(s.leaf, 'hex'), encode(s.hash, 'hex'),"
        f" {_WRITTEN} FROM audit_seal AS s LEFT JOIN audit_entry AS e ON e.id = s.entry_id ORDER BY s.position)"
        " TO STDOUT"
    )
    with _driver(connection).cursor() as cursor, cursor.copy(query) as copy:
        for line in copy:
            position, entry_id, leaf, hash_, written = bytes(line).rstrip(b"\n").split(b"\t", 4)
            yield Place(
                int(position),
                int(entry_id),
                bytes.fromhex(leaf.decode("ascii")),
                bytes.fromhex(hash_.decode("ascii")),
                None if written.startswith(b"\\N") else written,
            )


def select_hub_id(connection: Connection) -> UUID:
    """Say which hub this is."""
    found: UUID = connection.execute(text("SELECT hub_id FROM audit_state")).scalar_one()
    return found


def select_tail(connection: Connection) -> Tail:
    """Count the entries that are not sealed yet, all of them, and tell the age of the oldest."""
    row = connection.execute(
        text(
            "SELECT count(*) AS entries, coalesce(extract(epoch FROM clock_timestamp() - min(e.recorded_at)), 0) AS age"
            f" FROM audit_entry AS e WHERE {_UNSEALED}"
        )
    ).one()
    return Tail(row.entries, max(0.0, float(row.age)))


def select_sealed(connection: Connection) -> Sealed:
    """Say up to which entry the log is sealed, and when the newest entry was made; two looks into indexes."""
    row = connection.execute(
        text(
            "SELECT s.position, e.recorded_at AS sealed_at,"
            " (SELECT n.recorded_at FROM audit_entry AS n ORDER BY n.id DESC LIMIT 1) AS newest_at"
            " FROM audit_state AS a LEFT JOIN (SELECT * FROM audit_seal ORDER BY position DESC LIMIT 1) AS s ON true"
            " LEFT JOIN audit_entry AS e ON e.id = s.entry_id"
        )
    ).one()
    return Sealed(row.position or 0, row.sealed_at, row.newest_at)


def select_head(connection: Connection, checkpoint_size: int) -> Checkpoint | None:
    """Give what there is to sign when the log grew beyond this size; None when it did not."""
    row = connection.execute(
        text(
            "SELECT a.hub_id, s.position, s.hash, clock_timestamp() AS at FROM audit_state AS a CROSS JOIN audit_seal"
            " AS s WHERE s.position > :size ORDER BY s.position DESC LIMIT 1"
        ),
        {"size": checkpoint_size},
    ).one_or_none()
    return Checkpoint(row.hub_id, row.position, bytes(row.hash), row.at) if row is not None else None


def count_rows(connection: Connection, audited: Audited) -> int:
    """Count the rows of a recorded table."""
    return int(connection.execute(text(f"SELECT count(*) FROM {audited.table}")).scalar_one())


def count_erased(connection: Connection) -> int:
    """Count the entries whose salt was erased."""
    statement = "SELECT count(*) FROM audit_entry WHERE action = 'audit_salt.deleted'"
    return int(connection.execute(text(statement)).scalar_one())


def select_row_faults(connection: Connection, audited: Audited, *, limit: int) -> tuple[Fault, ...]:
    """Compare every row of a table with the latest entry that tells of it, and the entries with the rows."""
    key = f"t.{audited.key}"
    form = "jsonb_strip_nulls(to_jsonb(t) - CAST(:left_out AS text[]))"
    rows = connection.execute(
        text(
            f"SELECT coalesce({key}, l.subject_id) AS id, l.id AS entry_id, CASE WHEN {key} IS NULL THEN 'row_gone'"
            " WHEN l.id IS NULL OR l.action = :deleted THEN 'unaudited' WHEN s.entry_id IS NULL THEN 'salt_gone'"
            f" ELSE 'changed' END AS what FROM {audited.table} AS t FULL JOIN (SELECT DISTINCT ON (subject_id)"
            " subject_id, id, action, digest FROM audit_entry WHERE action LIKE :actions"
            f" ORDER BY subject_id, id DESC) AS l ON l.subject_id = {key}"
            " LEFT JOIN audit_salt AS s ON s.entry_id = l.id"
            f" WHERE CASE WHEN {key} IS NULL THEN l.action <> :deleted"
            " WHEN l.id IS NULL OR l.action = :deleted THEN true"
            " WHEN s.entry_id IS NULL THEN NOT EXISTS (SELECT FROM audit_entry AS d"
            " WHERE d.subject_id = CAST(l.id AS text) AND d.action = 'audit_salt.deleted')"
            f" ELSE l.digest <> sha256(s.salt || convert_to(CAST({form} AS text), 'UTF8')) END"
            " ORDER BY 1 LIMIT :limit"
        ),
        {
            "left_out": list(audited.left_out),
            "deleted": f"{audited.table}.deleted",
            "actions": f"{audited.table}.%",
            "limit": limit,
        },
    )
    return tuple(_row_fault(audited.table, row) for row in rows)


def select_guards(connection: Connection) -> set[tuple[str, str, str]]:
    """List the triggers that are switched on: table, trigger, function."""
    rows = connection.execute(
        text(
            "SELECT c.relname, g.tgname, p.proname FROM pg_trigger AS g JOIN pg_class AS c ON c.oid = g.tgrelid"
            " JOIN pg_proc AS p ON p.oid = g.tgfoid WHERE g.tgname LIKE 'audit%' AND g.tgenabled IN ('O', 'A')"
            " AND c.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = to_regclass('audit_entry'))"
        )
    )
    return {(row.relname, row.tgname, row.proname) for row in rows}


def select_entries(
    connection: Connection, *, is_sealed: bool, subject_id: str | None, after: int, limit: int
) -> tuple[Entry, ...]:
    """List sealed entries by position, or unsealed ones by id, after a position or id; of one subject or all.

    subject_id  the key of a changed row
    """
    place = "s.position" if is_sealed else "e.id"
    rows = connection.execute(
        text(
            "SELECT e.id, s.position, e.recorded_at, e.who, e.action, e.subject_id, e.related, e.changed, e.digest"
            " FROM audit_entry AS e LEFT JOIN audit_seal AS s ON s.entry_id = e.id"
            f" WHERE {place} > :after AND (s.position IS NOT NULL) = :is_sealed"
            " AND (CAST(:subject AS text) IS NULL OR e.subject_id = :subject)"
            f" ORDER BY {place} LIMIT :limit"
        ),
        {"after": after, "is_sealed": is_sealed, "subject": subject_id, "limit": limit},
    )
    return tuple(_entry(row) for row in rows)


def delete_salts(connection: Connection, subject_ids: Sequence[str]) -> int:
    """Delete the salts of all entries of some subjects; return how many there were."""
    return connection.execute(
        text("DELETE FROM audit_salt AS s USING audit_entry AS e WHERE e.id = s.entry_id AND e.subject_id = ANY(:ids)"),
        {"ids": list(subject_ids)},
    ).rowcount


def _driver(connection: Connection) -> DriverConnection[Any]:
    """Give the driver's own connection, in the same transaction: COPY is nothing that SQLAlchemy knows."""
    found: DriverConnection[Any] | None = connection.connection.driver_connection
    assert found is not None
    return found


def _still_open(snapshot: str | None) -> tuple[int | None, tuple[int, ...]]:
    """Read which transactions a snapshot (xmin:xmax:running,…) does not show: from the first on, and earlier ones."""
    if snapshot is None:
        return None, ()
    _, end, running = snapshot.split(":")
    return int(end), tuple(map(int, filter(None, running.split(","))))


def _row_fault(table: str, row: Row[Any]) -> Fault:
    kinds: dict[str, tuple[FaultKind, str]] = {
        "row_gone": ("row_gone", f"entry {row.entry_id} tells of it, and none that it was deleted"),
        "unaudited": ("unaudited", "no entry tells of it"),
        "changed": ("unaudited", f"it is not what entry {row.entry_id}, its latest, recorded"),
        "salt_gone": ("salt_gone", f"the digest of entry {row.entry_id} cannot be compared"),
    }
    kind, told = kinds[row.what]
    return Fault(kind, f"{table} {row.id}", told)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        id=row.id,
        position=row.position,
        recorded_at=row.recorded_at,
        who=row.who,
        action=row.action,
        subject_id=row.subject_id,
        related=tuple(row.related),
        changed=tuple(row.changed),
        digest=bytes(row.digest),
    )


def _unaudited(audited: Audited) -> str:
    """Ask for the rows of a table that no entry tells of, or of whose end none tells."""
    table, key = audited.table, audited.key
    told = f"SELECT FROM audit_entry AS e WHERE e.subject_id = t.{key} AND e.action LIKE '{table}.%'"
    query = f"SELECT '{table} ' || t.{key} FROM {table} AS t WHERE NOT EXISTS ({told})"
    if audited.ended:
        ended = f"('{audited.ended}' = ANY (e.changed) OR e.action IN ('{table}.found', '{table}.restated'))"
        query += f" OR (t.{audited.ended} IS NOT NULL AND NOT EXISTS ({told} AND {ended}))"
    return query


# The rows of recorded tables without an entry: "table key".
UNAUDITED: Final = " UNION ALL ".join(map(_unaudited, AUDITED))
