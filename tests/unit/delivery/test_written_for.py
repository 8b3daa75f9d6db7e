"""Whose value stands in a field: the members that said it, and whether they belong elsewhere by now."""

from dataclasses import replace

from mdm.delivery.model import FieldRule, Held, OwnRecord, RecordSubscription
from mdm.delivery.written_for import (
    givers,
    is_of_others,
    mark_of,
    marks_in_question,
    read_mark,
    standing_marks,
    with_marks,
)
from mdm.ids import GoldenId
from tests.hubs import declared

GIZMO = declared()["gizmo"]
ID, OTHER = GoldenId("giz_1"), GoldenId("giz_2")
OWNER = FieldRule("widget", "owner")
RULES = RecordSubscription("gizmo", "Gizmo", "", True, {}, "link", "wait", (OWNER, FieldRule("kits", "kits")))
HELD = Held("Gizmo", "", "1", "active", b"s" * 16, {"owner": "h1"}, {"owner": ("h2",)})


def test_a_mark_names_a_version_of_a_golden_record() -> None:
    assert read_mark(mark_of(ID, 12)) == (ID, 12)


def test_marks_are_kept_of_what_stands_or_was_asked_for_and_the_newer_one_counts() -> None:
    marks = with_marks({"owner": {"h1": "giz_1@1", "h0": "giz_1@1"}}, {"owner": {"h1": "giz_1@2", "h2": "giz_1@3"}})

    assert standing_marks(replace(HELD, written_for=marks)) == {"owner": {"h1": "giz_1@2", "h2": "giz_1@3"}}
    assert standing_marks(replace(HELD, hashes={}, intended=None, written_for=marks)) == {}


def test_only_a_field_of_which_the_golden_record_says_nothing_is_in_question() -> None:
    record = OwnRecord("Gizmo", "", "1", replace(HELD, written_for={"owner": {"h1": "giz_2@1"}}))

    assert list(marks_in_question(RULES, GIZMO, {"tag": "x"}, record)) == [(OWNER, "giz_2@1")]
    assert list(marks_in_question(RULES, GIZMO, {"widget": "wht_1"}, record)) == []
    # Where nobody says anything of it, all that is left is what stands there.
    assert list(marks_in_question(RULES, GIZMO, {}, record)) == []
    # Its type requires a grade.
    for rule in (replace(OWNER, owner="fill"), replace(OWNER, clears=True), replace(OWNER, attribute="grade")):
        assert list(marks_in_question(replace(RULES, fields=(rule,)), GIZMO, {"tag": "x"}, record)) == []


def test_a_value_is_of_others_once_all_that_said_a_part_of_it_left() -> None:
    plain = {"widget": {"record_key": "crm/A:1", "record_id": "rec_1", "rule": "recency", "agreeing": ["crm/A:2"]}}
    assert givers(plain, OWNER) == [["crm/A:1", "crm/A:2"]]
    assert givers(plain, FieldRule("kits", "kits")) == []
    union = {"kits": {"record_key": "crm/A:1", "rule": "union", "elements": [["crm/A:1"], ["crm/A:2"]]}}
    assert givers(union, FieldRule("kits", "kits")) == [["crm/A:1"], ["crm/A:2"]]
    assert givers(union, FieldRule("kits", "kit", takes="first")) == [["crm/A:1"]]

    first_left = {"crm/A:1": OTHER, "crm/A:2": ID}
    assert not is_of_others([["crm/A:1", "crm/A:2"]], ID, first_left)
    assert is_of_others([["crm/A:1"], ["crm/A:2"]], ID, first_left)
    assert not is_of_others([["crm/A:9"]], ID, first_left)
    assert not is_of_others([], ID, first_left)
