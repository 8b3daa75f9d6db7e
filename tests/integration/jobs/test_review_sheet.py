"""Decisions in bulk by spreadsheet: written, edited by whatever program, read back; what cannot be taken is named."""

import zipfile
from pathlib import Path
from typing import Any

import pytest

from mdm.decisions.model import Verdict
from mdm.decisions.review_model import ReviewFilter
from mdm.entities.model import ReviewApproval, ReviewPolicy
from mdm.errors import FileUnreadable, InputInvalid
from mdm.hub import Hub
from mdm.jobs.review_sheet import write_results, write_sheet
from mdm.jobs.review_sheet_carrying import read_sheet
from mdm.jobs.review_sheet_model import SheetReport
from mdm.jobs.service import deliver
from mdm.stewardship import answers, reviews
from tests.hubs import assert_sound, delivery, partition_of, row_marks
from tests.integration.jobs.sheets import WIDGETS, by_name, edited, rows_of, tampered, written
from tests.integration.stewardship.widgets import A, B, C, possible_matches, send, with_policy

pytestmark = pytest.mark.db


def read(hub: Hub, path: Path, *, dry_run: bool = False, who: str = "ann") -> SheetReport:
    return read_sheet(hub, path, who=who, dry_run=dry_run)


def told(report: SheetReport) -> list[tuple[int, str, str]]:
    return [(one.row.number, one.result, one.code) for one in report.results]


def test_a_sheet_shows_both_sides_beside_each_other_and_what_decides_most_first(hub: Hub, tmp_path: Path) -> None:
    send(hub, A, name="red", codes=["007", "x1"], batch="0012", note="from the east")
    send(hub, B, name="red", batch="0012")

    (row,) = written(hub, tmp_path / "sheet.xlsx")

    # The name is what a widget is known by, then codes (10 bits); batch and note add nothing and stand as declared.
    assert list(row)[3:] == [
        *("Question", "Score (bits)", "Stake", "Due", "Why", "Risks seen"),
        *("Name · first", "Name · second", "Codes · first", "Codes · second"),
        *("Batch number · first", "Batch number · second", "Note · first", "Note · second"),
        *("Key · first", "Key · second", "mdm:review", "mdm:versions"),
    ]
    (review,) = reviews.list_reviews(hub)
    assert (row["Question"], row["Score (bits)"], row["Why"]) == ("possible match", 4.0, "name same +4.0")
    assert (row["Codes · first"], row["Batch number · second"]) == (
        "007; x1",
        "0012",
    )  # zeros are kept: these are texts
    assert row["mdm:review"] == review.id
    assert dict(pair.split("=") for pair in row["mdm:versions"].split()) == {
        golden_id: str(version) for golden_id, version in review.versions.items()
    }


def test_only_what_people_fill_in_can_be_edited_and_the_ids_are_hidden(hub: Hub, tmp_path: Path) -> None:
    possible_matches(hub, ["red"])
    write_sheet(hub, WIDGETS, tmp_path / "sheet.xlsx")

    with zipfile.ZipFile(tmp_path / "sheet.xlsx") as archive:
        page, styles = archive.read("xl/worksheets/sheet1.xml").decode(), archive.read("xl/styles.xml").decode()

    assert "<sheetProtection" in page
    assert styles.count('<protection locked="0"/>') == 1
    assert page.count('hidden="1"') == 1 or page.count('hidden="1"') == 2  # one range of two columns, or two
    assert "Merge,Keep apart,Related,Unsure" in page
    assert "First is the parent of second" in page
    assert all(word in page for word in ("<pane", "<autoFilter", "<conditionalFormatting"))


def test_relations_on_offer_are_those_that_fit_the_entity_type(hub: Hub, tmp_path: Path) -> None:
    for key in ("crm-east/Account:1", "crm-west/Account:1"):
        deliver(hub, [delivery(key, "customer", legal_name="Kestrel Ltd", city="Hull")], who="test")
    assert reviews.count_reviews(hub) == 1
    write_sheet(hub, ReviewFilter(entity_types=("customer",)), tmp_path / "sheet.xlsx")

    with zipfile.ZipFile(tmp_path / "sheet.xlsx") as archive:
        page = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "Sisters" in page
    assert "is a phase of" not in page


def test_a_round_trip_carries_out_what_was_chosen(hub: Hub, tmp_path: Path) -> None:
    possible_matches(hub, ["red", "green", "blue", "grey", "pink"])
    rows = written(hub, tmp_path / "sheet.xlsx")
    by_name(rows, "red").update({"Decision": "Merge", "Comment": "one shop"})
    by_name(rows, "green")["Decision"] = "keep APART "
    by_name(rows, "blue").update({"Decision": "Related", "Relation": "Sisters"})
    by_name(rows, "grey")["Decision"] = "Unsure"
    edited(tmp_path / "back.xlsx", rows)

    before = row_marks(hub)
    rehearsed = read(hub, tmp_path / "back.xlsx", dry_run=True)
    assert row_marks(hub) == before
    report = read(hub, tmp_path / "back.xlsx")

    assert report.counts == {"answered": 4, "waits": 0, "already": 0, "empty": 1, "refused": 0}
    assert [one.result for one in rehearsed.results] == [one.result for one in report.results]
    closed = {one.left_key[-1]: one for one in reviews.list_reviews(hub, ReviewFilter(state="closed"))}
    said = {place: reviews.what_was_said(hub, one.id)[1][0].verdict for place, one in closed.items()}
    assert {place: (one.judgement, one.relation) for place, one in said.items()} == {
        "0": ("same", None),
        "1": ("different", None),
        "2": ("related", "sister_of"),
        "3": ("unsure", None),
    }
    assert (said["0"].reason, said["1"].reason) == ("one shop", "decided in a sheet")
    assert frozenset({"crm-east/Account:0", "crm-west/Account:0"}) in partition_of(hub)
    assert_sound(hub)


def test_reading_a_sheet_twice_changes_nothing_the_second_time(hub: Hub, tmp_path: Path) -> None:
    possible_matches(hub, ["red", "green"])
    rows = written(hub, tmp_path / "sheet.xlsx")
    rows[0]["Decision"], rows[1]["Decision"] = "Merge", "Unsure"
    edited(tmp_path / "back.xlsx", rows)
    assert read(hub, tmp_path / "back.xlsx").counts["answered"] == 2

    before = row_marks(hub)
    again = read(hub, tmp_path / "back.xlsx")

    assert again.counts == {"answered": 0, "waits": 0, "already": 2, "empty": 0, "refused": 0}
    assert row_marks(hub) == before
    # What somebody else says of the same rows is not theirs to repeat.
    assert {one.code for one in read(hub, tmp_path / "back.xlsx", who="bob").results} == {"review_closed"}


def test_rows_that_share_golden_records_are_taken_together(hub: Hub, tmp_path: Path) -> None:
    for key in (A, B, C):
        send(hub, key, name="red")
    rows = written(hub, tmp_path / "sheet.xlsx")
    assert len(rows) == 3
    for row in rows:
        row["Decision"] = "Merge"
    edited(tmp_path / "back.xlsx", rows)

    narrow = Hub(hub.engine, hub.declared, hub.settings.model_copy(update={"chunk_records": 1}))
    report = read(narrow, tmp_path / "back.xlsx")

    # Two answers join all three; the third question is settled by them, in the same transaction.
    assert sorted(code for _, _, code in told(report)) == ["", "", "review_followed"]
    assert partition_of(hub) == {frozenset({A, B, C})}


def test_stale_rows_are_refused_by_name_and_the_good_ones_taken(hub: Hub, tmp_path: Path) -> None:
    red, green, blue = possible_matches(hub, ["red", "green", "blue"])
    rows = written(hub, tmp_path / "sheet.xlsx")
    for row in rows:
        row["Decision"] = "Merge"
    edited(tmp_path / "back.xlsx", rows)
    send(hub, "crm-east/Account:0", name="red", note="moved")
    answers.answer_review(hub, green.id, Verdict("different", "two"), who="bob")

    report = read(hub, tmp_path / "back.xlsx")

    by_review = {one.row.review_id: one for one in report.results}
    assert by_review[red.id].code == "review_outdated"
    assert f"{red.left_golden_id} is at version 2, you read 1" in by_review[red.id].message
    assert by_review[green.id].code == "review_closed"
    assert by_review[blue.id].result == "answered"


def test_rows_that_make_no_sense_are_refused_with_what_was_meant(hub: Hub, tmp_path: Path) -> None:
    possible_matches(hub, ["red", "green", "blue", "grey", "pink", "teal", "gold", "rose"])
    rows = written(hub, tmp_path / "sheet.xlsx")
    changes: list[dict[str, Any]] = [
        {"Decision": "Merg"},
        {"Decision": "Related"},
        {"Decision": "Related", "Relation": "Sister"},
        {"Decision": "Merge", "Relation": "Sisters"},
        {"Decision": "Merge", "mdm:versions": "yesterday"},
        {"Decision": "Merge", "mdm:review": "rev_nobody"},
        {"Decision": "Merge", "Comment": "x" * 2001},
        {"Decision": "Merge"},
    ]
    for row, change in zip(rows, changes, strict=True):
        row.update(change)
    rows.append(dict(rows[7]))
    rows += [{**rows[6], "Comment": "", "Decision": word} for word in ("Merge", "Keep apart")]
    edited(tmp_path / "back.xlsx", rows)

    report = read(hub, tmp_path / "back.xlsx")

    assert [(number, code) for number, _, code in told(report)] == [
        (2, "decision_unknown"),
        (3, "relation_missing"),
        (4, "relation_unknown"),
        (5, "relation_without_related"),
        (6, "versions_missing"),
        (7, "review_unknown"),
        (8, "comment_too_long"),
        (9, ""),
        (10, "row_repeated"),
        (11, "row_contradicts"),
        (12, "row_contradicts"),
    ]
    assert "did you mean 'Merge'?" in report.results[0].message
    assert "did you mean 'Sisters'?" in report.results[2].message
    assert (report.results[7].result, report.results[8].result) == ("answered", "already")


def test_what_a_program_does_to_a_sheet_does_not_matter(hub: Hub, tmp_path: Path) -> None:
    """Rows sorted and deleted, columns moved and added, lines of their own above the headings, another name."""
    possible_matches(hub, ["red", "green", "blue"])
    rows = written(hub, tmp_path / "sheet.xlsx")
    rows[0]["Decision"], rows[2]["Decision"] = "Merge", "Keep apart"
    moved = [{"Checked": 1.5, **dict(reversed(list(row.items())))} for row in (rows[2], rows[0])]
    edited(tmp_path / "back.xlsx", moved, name="Tabelle1")

    report = read(hub, tmp_path / "back.xlsx")

    assert told(report) == [(2, "answered", ""), (3, "answered", "")]
    assert reviews.count_reviews(hub) == 1


def test_nothing_that_a_record_holds_becomes_a_formula(hub: Hub, tmp_path: Path) -> None:
    hostile = [
        '=HYPERLINK("http://evil.example","x")',
        "+1+cmd|' /C calc'!A0",
        "-2+3",
        "@SUM(A1)",
        "'=1+1",
        '"=1+1',
        "_x0041_",
        "http://evil.example",
        "00123",
        'r="XFD1048576" <c r="XFD1048576">',
        "\u202eevil\u200b",
        "🦩 ﷽",
        "x" * 2_000,
    ]
    sent = []
    for number, words in enumerate(hostile):
        sent.append(delivery(f"crm-east/Account:{number}", "widget_hold", name=f"name{number}", note=words))
        sent.append(delivery(f"crm-west/Account:{number}", "widget_hold", name=f"name{number}"))
    deliver(hub, sent, who="test")

    rows = written(hub, tmp_path / "sheet.xlsx")

    shown = {row["Name · first"]: row["Note · first"] for row in rows}
    for number, words in enumerate(hostile[:10]):
        assert shown[f"name{number}"] == words
    assert shown["name10"] == "⟨U+202E⟩evil⟨U+200B⟩"
    assert shown["name11"] == "🦩 ﷽"
    assert shown["name12"] == "x" * 1000 + "…"
    with zipfile.ZipFile(tmp_path / "sheet.xlsx") as archive:
        page = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in page
    assert "hyperlink" not in page.lower().replace("=hyperlink(", "")
    assert read(hub, tmp_path / "sheet.xlsx").counts["empty"] == len(hostile)


def test_results_stand_beside_the_rows(hub: Hub, tmp_path: Path) -> None:
    possible_matches(hub, ["red", "green"])
    rows = written(hub, tmp_path / "sheet.xlsx")
    rows[0]["Decision"], rows[1]["Decision"] = "Merge", "Maybe"
    report = read(hub, edited(tmp_path / "back.xlsx", rows))

    write_results(report, tmp_path / "results.xlsx")

    back = rows_of(tmp_path / "results.xlsx")
    assert [(row["Result"], row["Decision"]) for row in back] == [("answered", "Merge"), ("refused", "Maybe")]
    assert back[1]["What happened"].startswith("'Maybe' is no decision; choose Merge")
    assert [row["mdm:review"] for row in back] == [row["mdm:review"] for row in rows]


def test_more_answers_than_one_person_may_give_wait_for_a_second(hub: Hub, tmp_path: Path) -> None:
    strict = with_policy(hub, ReviewPolicy(approval=ReviewApproval(bulk=2)))
    possible_matches(strict, ["red", "green", "blue"])
    rows = written(strict, tmp_path / "sheet.xlsx")
    for row in rows:
        row["Decision"] = "Merge"
    edited(tmp_path / "back.xlsx", rows)

    report = read(strict, tmp_path / "back.xlsx")

    assert report.counts["waits"] == 3
    assert report.results[0].message == "it waits for a second person: 3 answers at once, more than 2"
    assert read(strict, tmp_path / "back.xlsx").counts["already"] == 3
    assert len(partition_of(hub)) == 6


def test_progress_is_told_chunk_by_chunk(hub: Hub, tmp_path: Path) -> None:
    narrow = Hub(hub.engine, hub.declared, hub.settings.model_copy(update={"chunk_records": 2}))
    possible_matches(narrow, ["red", "green", "blue"])
    rows = written(narrow, tmp_path / "sheet.xlsx")
    for row in rows:
        row["Decision"] = "Merge"
    edited(tmp_path / "back.xlsx", rows)

    seen: list[tuple[int, int]] = []
    read_sheet(narrow, tmp_path / "back.xlsx", who="ann", dry_run=False, progress=lambda *done: seen.append(done))

    assert seen == [(2, 3), (3, 3)]


def test_a_row_that_contradicts_what_is_decided_is_refused_alone(hub: Hub, tmp_path: Path) -> None:
    for key in (A, B, C):
        send(hub, key, name="red")
    rows = written(hub, tmp_path / "sheet.xlsx")
    asked = {frozenset((row["Key · first"], row["Key · second"])): row for row in rows}
    for pair, word in (((A, B), "Merge"), ((B, C), "Merge"), ((A, C), "Keep apart")):
        asked[frozenset(pair)]["Decision"] = word

    rows = [asked[frozenset(pair)] for pair in ((A, B), (A, C), (B, C))]
    report = read(hub, edited(tmp_path / "back.xlsx", rows))

    assert told(report) == [(2, "answered", ""), (3, "answered", ""), (4, "refused", "review_followed")]
    assert partition_of(hub) == {frozenset({A, B}), frozenset({C})}


def test_files_that_are_no_review_sheet_are_refused(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "text.xlsx").write_text("Decision,Relation", encoding="utf-8")
    with pytest.raises(FileUnreadable, match="damaged"):
        read(hub, tmp_path / "text.xlsx")
    with pytest.raises(FileUnreadable, match="no worksheet with the columns mdm:review"):
        read(hub, edited(tmp_path / "other.xlsx", [{"Decision": "Merge"}]))
    with pytest.raises(FileUnreadable, match="cannot be read"):
        read(hub, tmp_path / "nowhere.xlsx")
    with pytest.raises(InputInvalid, match="open reviews"):
        write_sheet(hub, ReviewFilter(state="closed"), tmp_path / "closed.xlsx")


def test_a_file_that_would_fill_the_memory_is_refused(hub: Hub, tmp_path: Path) -> None:
    plain = edited(tmp_path / "plain.xlsx", [{"Decision": "Merge", "mdm:review": "rev_1", "mdm:versions": "a=1"}])
    bomb = tampered(plain, tmp_path / "bomb.xlsx", lambda _, part: part.replace(b'<c r="A2"', b'<c r="XFD1048576"'))

    with pytest.raises(FileUnreadable, match="beyond 200 columns"):
        read(hub, bomb)
