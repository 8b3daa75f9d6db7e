"""Fill a hub with the records of a generated B2B set, to be matched against, by rows of the shape that the hub writes.

Values, compare forms and blocking keys are made by the hub's own functions; rows are copied in without their triggers,
each record in the golden record of its true cluster, so the hub is good for reading only.
"""

import os
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import orjson
import psycopg
import pyarrow.parquet as pq

from matching.keys import blocking_keys
from matching.learning import taught_by_identifiers
from matching.model_json import read_model, write_model
from matching.standardise import standardise
from mdm.entities.mapping import map_record
from mdm.entities.model import EntityType, Origin
from mdm.entities.service import entity_types
from mdm.jobs.columnar import records_of
from mdm.modelling.editing import with_model

CHUNK = 10_000
AT = "2026-01-05 09:00:00+00"
OWN = ("id", "source")
_INDEXED = ("blocking_key", "source_record", "source_record_version")
_RECORD = (
    "source_record (id, entity_type, instance_id, object, scope, native_id, state, version, content_hash, golden_id,"
    " origin_golden_id, recorded_at, who)"
)
_VERSION = (
    "source_record_version (record_id, version, state, fields, values, undeclared, warnings, content_hash, recorded_at,"
    " who)"
)


def learnt(records: Path, entity_type: EntityType) -> EntityType:
    """Give an entity type the model that the records teach: what is common among them, and by their identifiers."""
    read = records_of(pq.read_table(records), entity_type, {}).records
    forms = standardise(read, entity_type.model, os.cpu_count() or 1)
    return with_model(entity_type, taught_by_identifiers(forms, entity_type.model))


def fill_records(url: str, records: Path, truth: Path, held_out: frozenset[str], entity_type: EntityType) -> int:
    """Copy in the records but for those held out; return how many there are then."""
    table = pq.read_table(records)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO source_instance (id, system, title, rank, duplicate_free, who)"
            " SELECT i, i, i, 1, false, 'bench' FROM unnest(%s::text[]) AS i",
            (sorted(set(table["source"].to_pylist())),),
        )
        connection.execute("SET session_replication_role = replica")
        indexes = connection.execute(
            "SELECT indexname, indexdef FROM pg_indexes i WHERE tablename = ANY(%s) AND NOT EXISTS"
            " (SELECT FROM pg_constraint c WHERE c.conname = i.indexname)",
            (list(_INDEXED),),
        ).fetchall()
        for name, _ in indexes:
            connection.execute(f"DROP INDEX {name}")
        connection.execute("ALTER TABLE blocking_key DROP CONSTRAINT pk_blocking_key")
    starts = range(0, table.num_rows, CHUNK)
    given = (records, truth, held_out, write_model(entity_type.model))
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn"), _open, given) as pool:
        filled = sum(pool.map(_copy_chunk, [url] * len(starts), starts))
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET maintenance_work_mem = '1GB'")
        connection.execute("SET statement_timeout = 0")
        connection.execute(
            "ALTER TABLE blocking_key ADD CONSTRAINT pk_blocking_key PRIMARY KEY (entity_type, key, record_id)"
        )
        for _, statement in indexes:
            connection.execute(statement)
        connection.execute("VACUUM ANALYZE")
    return filled


def fields_of(row: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a source delivers of a row."""
    return {column: value for column, value in row.items() if column not in OWN and value}


_open_files: dict[str, Any] = {}


def _open(records: Path, truth: Path, held_out: frozenset[str], model: str) -> None:
    of = pq.read_table(truth)
    _open_files["records"] = pq.read_table(records)
    _open_files["cluster"] = dict(zip(of["id"].to_pylist(), of["cluster_id"].to_pylist(), strict=True))
    _open_files["held_out"] = held_out
    _open_files["entity_type"] = with_model(entity_types(())["customer"], read_model(model))


def _copy_chunk(url: str, start: int) -> int:
    entity_type, clusters = _open_files["entity_type"], _open_files["cluster"]
    part = _open_files["records"].slice(start, CHUNK)
    kept = [place for place, id_ in enumerate(part["id"].to_pylist()) if id_ not in _open_files["held_out"]]
    part = part.take(kept)
    rows = part.to_pylist()
    forms = standardise(records_of(part, entity_type, {}).records, entity_type.model)
    found = blocking_keys(forms, entity_type.model)
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        with connection.cursor() as cursor:
            with cursor.copy(f"COPY {_RECORD} FROM STDIN") as copy:
                for row in rows:
                    golden_id = f"cus_{clusters[row['id']]}"
                    key = (row["source"], "Account", "", row["id"])
                    copy.write_row(
                        [f"rec_{row['id']}", "customer", *key, "active", 1, "\\x00", golden_id, golden_id, AT, "bench"]
                    )
            with cursor.copy(f"COPY {_VERSION} FROM STDIN") as copy:
                for row in rows:
                    values = dict(map_record(entity_type, fields_of(row), origin=Origin(row["source"])).values)
                    written = orjson.dumps(values, default=str).decode()
                    copy.write_row([f"rec_{row['id']}", 1, "active", "{}", written, "{}", "[]", "\\x00", AT, "bench"])
            with cursor.copy("COPY blocking_key (entity_type, key, record_id) FROM STDIN") as copy:
                ids = [f"rec_{row['id']}" for row in rows]
                held = sorted(set(zip(found.records.tolist(), found.keys.tolist(), strict=True)))
                copy.write("".join(f"customer\t{key}\t{ids[place]}\n" for place, key in held))
    return len(rows)
