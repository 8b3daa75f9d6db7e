"""YAML as plain values that know their lines, and what is refused in it."""

from pathlib import Path

import pytest

from mdm.entities.document import BYTES_MAX, DEPTH_MAX, parse_document, read_document


def test_every_place_knows_its_line() -> None:
    text = "entity: customer\nattributes:\n  name:\n    title: Name\nvalidations:\n  - name: one\n  - name: two\n"

    document, faults = parse_document(text, "a.yaml")

    assert faults == ()
    assert document is not None
    assert document.line(("attributes", "name", "title")) == 4
    assert document.line(("validations", 1)) == 7
    assert document.line(("validations", 1, "not written")) == 7


def test_words_stay_words() -> None:
    document, _ = parse_document("a: no\nb: 2026-01-01\nc: ~\nd: 5\ne: 0.5\nf: true\ng: '5'\n", "a.yaml")

    assert document is not None
    assert document.content == {"a": "no", "b": "2026-01-01", "c": None, "d": 5, "e": 0.5, "f": True, "g": "5"}


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("a: 1\nb: &x [1]\n", 2, "sets the anchor &x"),
        ("a: 1\nb: *nowhere\n", 2, "undefined alias"),
        ("a: !secret x\n", 1, "uses the tag !secret"),
        ("a: !!python/object:os.system {}\n", 1, "uses the tag"),
        ("a: 1\nb: 2\na: 3\n", 3, "the key a stands here a second time (first in line 1)"),
        ("a: [\n", 2, "is not YAML"),
        ("- a\n", 1, "does not hold keys and values"),
        ("", 1, "does not hold keys and values"),
        ("a: 1\n---\nb: 2\n", 2, "found another document"),
        ("a: \x00\n", 1, "is not YAML"),
        ("? [x]\n: 1\n", 1, "has a key that is no text"),
        ("a: " + "[" * 40 + "]" * 40, 1, f"deeper than {DEPTH_MAX}"),
        ("[" * 1_000, 1, f"deeper than {DEPTH_MAX}"),
    ],
)
def test_what_is_refused_is_named_with_its_line(text: str, line: int, problem: str) -> None:
    _, faults = parse_document(text, "a.yaml")

    assert [fault.line for fault in faults[:1]] == [line]
    assert problem in faults[0].problem
    assert faults[0].remedy


def test_an_alias_is_told_where_it_stands_and_not_where_its_anchor_does() -> None:
    _, faults = parse_document("a: 1\nb: &x [1]\nc:\n  d: *x\n  e:\n    - 2\n    - *x\n", "a.yaml")

    assert [(fault.line, fault.place, fault.problem) for fault in faults] == [
        (2, "b", "sets the anchor &x"),
        (4, "c.d", "uses the alias *x"),
        (5, "c.e.1", "uses the alias *x"),
    ]


def test_an_alias_bomb_is_refused_without_being_unfolded() -> None:
    levels = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9) if n else 'lol'}]" for n in range(12))

    _, faults = parse_document(levels, "bomb.yaml")

    assert any("sets the anchor" in fault.problem for fault in faults)


def test_files_that_are_not_text_are_refused(tmp_path: Path) -> None:
    binary, large = tmp_path / "binary.yaml", tmp_path / "large.yaml"
    binary.write_bytes(b"a: 1\nb: \xff\xfe")
    large.write_bytes(b"#" * (BYTES_MAX + 1))

    assert [(fault.line, fault.problem) for fault in read_document(binary)[1]] == [(2, "is not UTF-8 text")]
    assert "bytes" in read_document(large)[1][0].problem
    assert "cannot be read" in read_document(tmp_path / "absent.yaml")[1][0].problem
