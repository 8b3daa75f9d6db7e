"""Rows of a snapshot are typed by the declaration, and a value that does not fit its type stops nobody."""

from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from pyarrow import parquet

from mdm.entities.service import entity_types
from mdm.publishing.snapshot_files import FileFormat, golden_row, golden_schema, writer

CONTRACT = entity_types()["contract"]


def row(**values: Any) -> dict[str, Any]:
    read = SimpleNamespace(
        id="con_1",
        state="active",
        forward_to=None,
        version=2,
        completeness=0.5,
        shown=values,
        recorded_from=datetime(2026, 5, 1, tzinfo=UTC),
    )
    return golden_row(read)  # type: ignore[arg-type]


def written(file_format: FileFormat, *rows: dict[str, Any]) -> bytes:
    stream = BytesIO()
    assert writer(file_format, golden_schema(CONTRACT), [rows])(stream) == len(rows)
    return stream.getvalue()


def test_numbers_days_and_lists_have_their_types_in_parquet() -> None:
    told = row(number="K-7", value="1250.5", start_date="2026-03-01", projects=["prj_1", "prj_2"])

    (found,) = parquet.read_table(BytesIO(written("parquet", told))).to_pylist()

    assert found["number"] == "K-7"
    assert found["value"] == 1250.5
    assert found["start_date"] == date(2026, 3, 1)
    assert found["projects"] == ["prj_1", "prj_2"]
    assert found["golden_since"] == datetime(2026, 5, 1, tzinfo=UTC)
    assert found["customer"] is None


def test_a_value_of_an_older_declaration_is_left_out() -> None:
    told = row(value="about a thousand", start_date="soon", name={"a": 1})

    (found,) = parquet.read_table(BytesIO(written("parquet", told))).to_pylist()

    assert (found["value"], found["start_date"], found["name"]) == (None, None, '{"a":1}')


def test_csv_has_every_digit_and_lists_as_json() -> None:
    lines = written("csv", row(value="1234567890123456789.5", projects=["prj_1", "prj_2"])).decode().splitlines()

    names, cells = lines[0].split(","), lines[1]
    assert names[:3] == ["golden_id", "golden_state", "golden_forward_to"]
    assert "1234567890123456789.5" in cells
    assert '"[""prj_1"",""prj_2""]"' in cells
    assert "2026-05-01T00:00:00+00:00" in cells


def test_each_batch_is_written_when_it_came() -> None:
    stream = BytesIO()
    sizes = []

    def batches() -> Iterator[list[dict[str, Any]]]:
        for number in range(3):
            sizes.append(stream.tell())
            yield [row(number=f"K-{number}")]

    writer("parquet", golden_schema(CONTRACT), batches())(stream)

    assert parquet.ParquetFile(BytesIO(stream.getvalue())).num_row_groups == 3
    assert sizes[0] < sizes[1] < sizes[2]


@pytest.mark.parametrize("file_format", ["parquet", "csv"])
def test_a_file_without_rows_has_its_columns(file_format: FileFormat) -> None:
    assert written(file_format) == written(file_format)
    assert b"golden_id" in written(file_format)
