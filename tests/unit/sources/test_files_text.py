"""The encoding of text files: a broken line costs itself, sound ones stay what they are, and a guess is told."""

import json
from pathlib import Path

import pytest

from mdm.sources.files import FileFault, read_file
from tests.unit.sources.reading import split, written

HEAD = "id,name\n"
SOUND = ["Müller Süd GmbH", "Größe GmbH"]
HALF = b"\xed\xa0\x80"  # half a character, written as UTF-8


def csv_of(names: list[str | bytes]) -> bytes:
    lines = [name if isinstance(name, bytes) else name.encode() for name in names]
    return HEAD.encode() + b"".join(b"%d,%b\n" % (number, name) for number, name in enumerate(lines, start=2))


def jsonl_of(names: list[str | bytes]) -> bytes:
    lines = [name if isinstance(name, bytes) else name.encode() for name in names]
    return b"".join(b'{"id": "%d", "name": "%b"}\n' % (number, name) for number, name in enumerate(lines, start=1))


def names_of(path: Path) -> list[str]:
    return [row["name"] for _, row in read_file(path) if not isinstance(row, FileFault)]


def notes_of(path: Path) -> list[FileFault]:
    notes: list[FileFault] = []
    list(read_file(path, on_note=notes.append))
    return notes


@pytest.mark.parametrize("broken", [b"\xff" * 50, b"caf\xe9", HALF * 20, b"a" + HALF + b"b", b"\xe4\xf6\xfc\xdf" * 9])
@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.csv.gz"])
def test_a_broken_line_spoils_no_sound_one(tmp_path: Path, name: str, broken: bytes) -> None:
    names: list[str | bytes] = [*SOUND, broken, "Plain BV"]
    made, first = (jsonl_of(names), 1) if "jsonl" in name else (csv_of(names), 2)
    path = written(tmp_path, name, made)

    kept, faults = split(path)

    assert names_of(path) == [*SOUND, "Plain BV"]
    assert kept == [first, first + 1, first + 3]
    assert faults == [(first + 2, "name", "encoding")]
    assert notes_of(path) == []


def test_half_a_character_is_a_fault_of_its_line_where_all_else_is_ascii(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", csv_of(["One BV", b"a" + HALF + b"b", "Two BV"]))

    assert split(path) == ([2, 4], [(3, "name", "encoding")])


def test_a_file_of_windows_is_read_as_that_and_told(tmp_path: Path) -> None:
    """A capital with an accent before a typographic quote is UTF-8 by chance; it spoils none of the others."""
    names = ["CAFÉ’S Ltd", "Müller", "Größe", "Söhne"]
    path = written(tmp_path, "a.csv", csv_of([name.encode("cp1252") for name in names]))

    (note,) = notes_of(path)

    assert names_of(path) == names
    assert (note.leaves_out, note.code) == (False, "encoding_guessed")
    assert note.message == f"{path} is read as Windows-1252, for lines of it are no UTF-8: 3"


def test_as_many_sound_lines_as_broken_ones_are_no_file_of_windows(tmp_path: Path) -> None:
    windows = [name.encode("cp1252") for name in SOUND]
    path = written(tmp_path, "a.csv", csv_of([*SOUND, *windows]))

    assert names_of(path) == SOUND
    assert [found[0] for found in split(path)[1]] == [4, 5]


def test_a_byte_order_mark_leaves_nothing_to_guess(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", b"\xef\xbb\xbf" + csv_of([b"caf\xe9"] * 12 + ["One BV"]))

    assert names_of(path) == ["One BV"]
    assert ([found[0] for found in split(path)[1]], notes_of(path)) == ([*range(2, 14)], [])


def test_a_named_encoding_is_no_guess(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", csv_of([name.encode("cp1252") for name in SOUND]))
    notes: list[FileFault] = []

    rows = [row for _, row in read_file(path, encoding="cp1252", on_note=notes.append)]

    assert json.dumps(rows, ensure_ascii=False).count("ü") == 2
    assert notes == []
