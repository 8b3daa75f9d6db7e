"""What cannot be seen is marked, and versions read back as they were written."""

import pytest

from mdm.jobs.review_sheet_model import read_versions, versions_text, visible


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("\t=1+1", "⟨U+0009⟩=1+1"),
        ("\r\n@SUM(A1)", "⟨U+000D⟩⟨U+000A⟩@SUM(A1)"),
        ("a\0b\x7f\x85", "a⟨U+0000⟩b⟨U+007F⟩⟨U+0085⟩"),
        ("\u202egnp.exe\u2066", "⟨U+202E⟩gnp.exe⟨U+2066⟩"),
        ("zero\u200bwidth\ufeff\U000e0041", "zero⟨U+200B⟩width⟨U+FEFF⟩⟨U+E0041⟩"),
        ("half \ud800", "half ⟨U+D800⟩"),
        ("Ünïcode 🦩 ﷽ 株式会社", "Ünïcode 🦩 ﷽ 株式会社"),
        ("y" * 1001, "y" * 1000 + "…"),
    ],
)
def test_what_cannot_be_seen_is_marked(words: str, shown: str) -> None:
    assert visible(words) == shown


def test_versions_read_back_as_they_were_written() -> None:
    versions = {"cus_b": 2, "cus_a": 41}

    assert versions_text(versions) == "cus_a=41 cus_b=2"
    assert read_versions(versions_text(versions)) == versions
    assert [read_versions(words) for words in ("", "cus_a", "cus_a=", "=1", "cus_a=-1", "cus_a=1.5", "a=1 b")] == [
        None
    ] * 7
