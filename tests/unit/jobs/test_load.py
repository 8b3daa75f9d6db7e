"""What a load takes of files and what it says of those that cannot be read, before anything is stored."""

from pathlib import Path

import pytest

from mdm.entities.service import entity_types
from mdm.errors import FileUnreadable
from mdm.jobs.load import BATCH, _batches
from mdm.jobs.model import LoadReport
from mdm.sources.model import SourceInstance
from mdm.sources.rows import FileOrigin

ORIGIN = FileOrigin(SourceInstance("crm", "crm", "CRM"), entity_types()["customer"])


def test_lines_without_an_id_cost_only_themselves_however_many_come_first(tmp_path: Path) -> None:
    lines = [*['{"name": "x"}'] * (BATCH + 1), '{"id": "1", "name": "y"}']
    (tmp_path / "a.jsonl").write_text("\n".join(lines), encoding="utf-8")
    report = LoadReport()

    (batch,) = _batches([tmp_path / "a.jsonl"], ORIGIN, report)

    assert [delivery.key.native_id for delivery in batch] == ["1"]
    assert report.faults_count == BATCH + 1


def test_a_file_without_an_id_is_refused_and_the_faults_of_others_are_kept(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"name": "x"}\n{"id": [1]}', encoding="utf-8")
    (tmp_path / "b.jsonl").write_text('{"name": "x"}\n{"name": "y"}\n12', encoding="utf-8")
    (tmp_path / "c.csv").write_text("id\n1\n", encoding="utf-8")
    report = LoadReport()

    with pytest.raises(FileUnreadable, match=r"b\.jsonl: no column holds the record's id"):
        list(_batches([tmp_path / "*"], ORIGIN, report))

    assert [(Path(found.path).name, found.code) for found in report.faults] == [
        ("a.jsonl", "id_missing"),
        ("a.jsonl", "key_not_text"),
        ("b.jsonl", "not_an_object"),
    ]
    assert (report.faults_count, report.files_not_read) == (3, (str(tmp_path / "c.csv"),))
