"""Write the demo firm as the exports that its systems would hand over: one file per object of an instance."""

import csv
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import xlsxwriter

from mdm.demo.model import DemoFirm, DemoRecord
from mdm.demo.systems import LAYOUTS

_STAMP = datetime(2026, 7, 1, tzinfo=UTC)
_Row = Mapping[str, Any]


def write_files(firm: DemoFirm, folder: Path) -> list[Path]:
    """Write `instance.object.csv` and the like, in order of first delivery, and give back their paths.

    Each row starts with the system's own id column, its legal entity where it has them, and the time of last change.
    """
    folder.mkdir(parents=True, exist_ok=True)
    system_by_instance = {instance.id: instance.system for instance in firm.instances}
    records: dict[tuple[str, str], list[DemoRecord]] = {}
    for record in firm.records:
        records.setdefault((record.instance, record.object), []).append(record)
    paths = []
    for (instance, object_name), kind in records.items():
        suffix, write = _WRITERS.get((instance, object_name), ("csv", _write_csv))
        path = folder / f"{instance}.{object_name}.{suffix}"
        rows = [_row(record, system_by_instance[instance]) for record in kind]
        write(path, list(dict.fromkeys(column for row in rows for column in row)), rows)
        paths.append(path)
    return paths


def _row(record: DemoRecord, system: str) -> _Row:
    layout = LAYOUTS[system, record.object]
    row = {layout.id_column: record.native_id}
    if layout.scope_column:
        row[layout.scope_column] = record.scope
    row[layout.updated_column] = record.source_time.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**row, **{column: value for column, value in record.fields.items() if column != layout.id_column}}


def _write_csv(path: Path, columns: Sequence[str], rows: Sequence[_Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def _write_jsonl(path: Path, _: Sequence[str], rows: Sequence[_Row]) -> None:
    path.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")


def _write_parquet(path: Path, columns: Sequence[str], rows: Sequence[_Row]) -> None:
    pq.write_table(pa.table({column: pa.array([row.get(column) for row in rows]) for column in columns}), path)


def _write_xlsx(path: Path, columns: Sequence[str], rows: Sequence[_Row]) -> None:
    with xlsxwriter.Workbook(path) as workbook:
        # A workbook is stamped with the time of writing; a fixed stamp keeps the bytes the same.
        workbook.set_properties({"created": _STAMP})
        sheet = workbook.add_worksheet()
        sheet.write_row(0, 0, columns)
        for line, row in enumerate(rows, start=1):
            for at, column in enumerate(columns):
                if column in row:
                    sheet.write_string(line, at, str(row[column]))


_WRITERS: dict[tuple[str, str], tuple[str, Callable[[Path, Sequence[str], Sequence[_Row]], None]]] = {
    ("acquired-crm", "companies"): ("xlsx", _write_xlsx),
    ("kantata", "workspaces"): ("jsonl", _write_jsonl),
    ("netsuite-us", "customer"): ("parquet", _write_parquet),
}
