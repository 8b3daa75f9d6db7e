"""Files of different sources become one table of rows."""

from pathlib import Path

from mdm.entities.mapping import map_record
from mdm.entities.service import entity_types
from mdm.jobs.columnar import text_columns
from mdm.jobs.delivered import delivered_rows
from mdm.jobs.match_files import read_rows
from mdm.sources.files import read_file

CUSTOMER = entity_types()["customer"]


def test_a_column_of_lists_in_one_file_and_of_text_in_another_is_one_of_lists(tmp_path: Path) -> None:
    paths = [tmp_path / "a.jsonl", tmp_path / "b.jsonl"]
    paths[0].write_text('{"id": "1", "tags": ["x", "y"]}', encoding="utf-8")
    paths[1].write_text('{"id": "1", "tags": "x"}', encoding="utf-8")

    table, _ = read_rows(paths, CUSTOMER, {}, lambda _: None)

    assert table["tags"].to_pylist() == [["x", "y"], ["x"]]


def test_true_and_false_are_no_text_to_match_by_as_they_are_none_to_load(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"id": "1", "name": true, "phone": [false, "7"], "own": true}', encoding="utf-8")
    ((_, row),) = read_file(tmp_path / "a.jsonl")

    table, _ = read_rows([tmp_path / "a.jsonl"], CUSTOMER, {}, lambda _: None)
    (part,) = delivered_rows([tmp_path / "a.jsonl"], CUSTOMER, {}, rows_max=9).batches(lambda _: None)

    assert isinstance(row, dict)
    assert "legal_name" not in map_record(CUSTOMER, row).values
    for found in (table, part):
        assert found.to_pylist() == [{"id": "1", "name": "", "phone": ["7"], "own": "true"}]


def test_true_and_false_stay_where_an_attribute_may_hold_them() -> None:
    kept = [
        (name, attribute.semantic_type)
        for entity in entity_types().values()
        for name, attribute in entity.attributes.items()
        if name not in text_columns([name], entity, {})
    ]

    assert {kind for _, kind in kept} >= {"boolean", "code"}
    assert not any(kind in {"text", "company_name", "person_name", "phone", "email"} for _, kind in kept)
