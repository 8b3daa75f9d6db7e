"""The exports of the demo firm hold every record under its system's own columns, and are the same bytes each time."""

import csv
import json
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from python_calamine import CalamineWorkbook

from mdm.demo.firm import DemoFirm, build_firm, write_files


@pytest.fixture(scope="module")
def firm() -> DemoFirm:
    return build_firm(scale=0.1)


def rows_of(path: Path) -> list[dict[str, object]]:
    match path.suffix:
        case ".csv":
            with path.open(encoding="utf-8", newline="") as file:
                return list(csv.DictReader(file))
        case ".jsonl":
            return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        case ".parquet":
            return [dict(row) for row in pq.read_table(path).to_pylist()]
        case _:
            header, *lines = CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()
            return [dict(zip(map(str, header), line, strict=True)) for line in lines]


def test_every_record_is_in_the_file_of_its_object(firm: DemoFirm, tmp_path: Path) -> None:
    counts = Counter(f"{record.instance}.{record.object}" for record in firm.records)

    paths = write_files(firm, tmp_path)

    assert {path.stem: len(rows_of(path)) for path in paths} == counts
    assert {path.suffix for path in paths} == {".csv", ".jsonl", ".parquet", ".xlsx"}


def test_files_keep_keys_and_values(firm: DemoFirm, tmp_path: Path) -> None:
    write_files(firm, tmp_path)

    rows = rows_of(tmp_path / "d365-emea.customer.csv")

    expected = {
        (r.scope, r.native_id): r.fields for r in firm.records if (r.instance, r.object) == ("d365-emea", "customer")
    }
    for row in rows:
        fields = expected[str(row["dataAreaId"]), str(row["CustomerAccount"])]
        assert {column: row[column] for column in fields} == fields


def test_the_same_firm_gives_the_same_bytes(firm: DemoFirm, tmp_path: Path) -> None:
    first = write_files(firm, tmp_path / "first")
    second = write_files(firm, tmp_path / "second")

    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
