"""What is exported and read again is what it was, in every format and for every text that a hub can hold."""

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mdm.publishing.files import write_rows
from mdm.sources.files import read_file
from mdm.sources.files_columns import read_columns
from mdm.sources.formulas import TRIGGERS, disarm, rearm

COLUMNS = ["id", "name", "note"]

# Every text that the gates let into a hub: no NUL and no half characters.
TEXTS = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12),
    st.text(st.sampled_from("'" + TRIGGERS.replace("\0", "") + '",;|\n a1é'), max_size=6),
)
ROWS = st.lists(
    st.fixed_dictionaries({"id": st.text("abc123", min_size=1), "name": TEXTS, "note": TEXTS}), min_size=1, max_size=5
)


@given(st.text(st.sampled_from("'a" + TRIGGERS)))
def test_rearming_undoes_disarming(text: str) -> None:
    assert rearm(disarm(text)) == text


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.jsonl"])
@settings(max_examples=100, deadline=None)
@given(rows=ROWS)
def test_export_and_import_is_the_identity(name: str, rows: list[dict[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        write_rows(path, COLUMNS, rows)

        assert [row for _, row in read_file(path)] == rows
        assert read_columns([path]).to_pylist() == rows


@settings(max_examples=30, deadline=None)
@given(rows=ROWS)
def test_a_workbook_gives_back_what_xml_can_carry(rows: list[dict[str, str]]) -> None:
    rows = [{name: text for name, text in row.items() if text.isprintable()} for row in rows]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.xlsx"
        write_rows(path, COLUMNS, rows)

        expected = [{name: row.get(name, "") for name in COLUMNS} for row in rows]
        assert [row for _, row in read_file(path)] == expected
