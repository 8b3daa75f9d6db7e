"""How a reader takes a place of snapshots: follow the manifest, lay the deltas over the snapshot."""

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

from pyarrow import parquet

KEYS = {"golden_record": ("golden_id",), "crosswalk": ("instance_id", "object", "scope", "native_id")}


def manifest_of(folder: Path, entity_type: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / entity_type / "manifest.json").read_text(encoding="utf-8"))
    return found


def read_place(folder: Path, entity_type: str) -> dict[str, dict[tuple[str, ...], dict[str, Any]]]:
    """Give each table's rows by key, as the manifest leads there; every file is what the manifest says of it."""
    manifest = manifest_of(folder, entity_type)
    tables: dict[str, dict[tuple[str, ...], dict[str, Any]]] = {name: {} for name in KEYS}
    for part in (manifest["snapshot"], *manifest["deltas"]):
        for name, told in part["files"].items():
            content = (folder / told["path"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == told["sha256"]
            assert len(content) == told["size_bytes"]
            rows = read_rows(folder / told["path"])
            assert len(rows) == told["rows"]
            tables[name].update({tuple(row[key] for key in KEYS[name]): row for row in rows})
    return tables


def read_rows(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".parquet":
        found: list[dict[str, Any]] = parquet.read_table(path).to_pylist()
        return found
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))
