"""Files of different sources become one table of rows."""

from pathlib import Path

from mdm.entities.service import entity_types
from mdm.jobs.match_files import read_rows


def test_a_column_of_lists_in_one_file_and_of_text_in_another_is_one_of_lists(tmp_path: Path) -> None:
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    paths[0].write_text('{"id": "1", "tags": ["x", "y"]}', encoding="utf-8")
    paths[1].write_text('{"id": "1", "tags": "x"}', encoding="utf-8")

    table, _ = read_rows(paths, entity_types()["customer"], {}, lambda _: None)

    assert table["tags"].to_pylist() == [["x", "y"], ["x"]]
