"""Nobody merges past a risk unseen: not on the card, not by the service, in a band, nor in a sheet."""

from pathlib import Path

import pytest

from mdm.db.transaction import snapshot
from mdm.decisions.model import Verdict
from mdm.decisions.review_model import Review, ReviewFilter
from mdm.errors import RiskUnconfirmed
from mdm.hub import Hub
from mdm.jobs.review_sheet_carrying import read_sheet
from mdm.stewardship import answers, bands, reviews
from mdm.stewardship.band_preview import band_preview
from mdm.stewardship.card import review_card
from mdm.stewardship.dealing import Deal, answer_card
from mdm.stewardship.queue_bands import accept_band, carry_band
from mdm.stewardship.risk_guard import risks_of_many
from tests.hubs import partition_of
from tests.integration.jobs.sheets import by_name, edited, written
from tests.integration.stewardship.widgets import A, B, C, D, acknowledge, decide, possible_matches, send, the_review

pytestmark = pytest.mark.db

SAME, APART = Verdict("same", "seen"), Verdict("different", "seen")
WIDGETS = ReviewFilter(entity_types=("widget_hold",))
NUMBER_EAST, NUMBER_WEST = "15-048-3782", "00-136-8083"  # valid numbers of two companies


def ask_guarded(hub: Hub) -> Review:
    """Ask of two whose fellows hold different numbers of companies."""
    send(hub, A, name="red", codes=["c1"])
    send(hub, C, name="other", codes=["c1"], batch=NUMBER_EAST)
    send(hub, B, name="red", codes=["c2"])
    send(hub, D, name="another", codes=["c2"], batch=NUMBER_WEST)
    return the_review(hub)


def marks_of(hub: Hub, review: Review) -> frozenset[str]:
    """Read the marks of the risks that the card of a review tells."""
    return frozenset(risk.mark for risk in review_card(hub, review.id, who="ann").risks)


def test_many_reviews_are_told_the_risks_of_their_cards(hub: Hub) -> None:
    """Clashing numbers, a decision nearby, two established ones, and nothing at all; each as its own card says."""
    ask_guarded(hub)
    for key in ("crm-east/Account:x", "crm-east/Account:y", "crm-west/Account:z"):
        send(hub, key, name="blue")
    decide(hub, "crm-east/Account:x", "crm-east/Account:y", "different")
    possible_matches(hub, ["grey", "white"])
    acknowledge(hub, "crm-east/Account:0", "crm-west/Account:0")
    found = reviews.list_reviews(hub)

    with snapshot(hub.engine) as connection:
        told = risks_of_many(hub, connection, found)

    assert told == {one.id: review_card(hub, one.id, who="ann").risks for one in found}
    assert {risk.kind for risks in told.values() for risk in risks} == {"identifiers_clash", "cannot_link_nearby"}
    assert sum(not risks for risks in told.values()) >= 2


def test_the_service_refuses_a_risk_that_nobody_names(hub: Hub) -> None:
    review = ask_guarded(hub)

    for act in (answers.answer_review, answers.rehearse_answer):
        with pytest.raises(RiskUnconfirmed) as refused:
            act(hub, review.id, SAME, expected=review.versions, who="ann")
        assert set(refused.value.marks) == marks_of(hub, review)
    seen = marks_of(hub, review)
    tried = answers.rehearse_answer(hub, review.id, SAME, expected=review.versions, seen=seen, who="ann")
    assert tried.answer.state == "carried_out"

    given = answer_card(hub, review.id, Deal(APART, review.versions), who="ann")
    assert given.review.state == "closed"  # a risk is one of merging only


def test_answers_given_together_leave_a_risky_merge_and_take_the_others(hub: Hub) -> None:
    risky = ask_guarded(hub)
    clear, _ = possible_matches(hub, ["green", "grey"])
    chosen = [bands.Chosen(one.id, one.versions) for one in (risky, clear)]

    given = bands.answer_many(hub, chosen, SAME, who="ann")

    assert given.answered == (clear.id,)
    assert [(one.review_id, one.code) for one in given.left] == [(risky.id, "risk_unconfirmed")]
    again = bands.Chosen(risky.id, risky.versions, marks_of(hub, risky))
    assert bands.answer_many(hub, [again], SAME, who="ann").answered == (risky.id,)


def test_a_band_holds_back_what_has_a_risk(hub: Hub) -> None:
    risky = ask_guarded(hub)
    possible_matches(hub, ["green", "grey"])

    seen = band_preview(hub, WIDGETS, SAME, who="ann")

    assert (seen.found, seen.ready) == (3, 2)
    assert [(one.review_id, one.code) for one in seen.held] == [(risky.id, "risk_unconfirmed")]
    assert band_preview(hub, WIDGETS, APART, who="ann").ready == 3


def test_a_risk_that_comes_after_a_band_was_looked_at_is_left(hub: Hub) -> None:
    first, second = possible_matches(hub, ["green", "grey"])
    seen = band_preview(hub, WIDGETS, SAME, who="ann")
    accept_band(hub, seen.id, who="ann")
    # A third one like the second, which somebody decides is another than one side of it: no version moves by that.
    send(hub, D, name="grey")
    decide(hub, second.left_key, D, "different")

    done = carry_band(hub, seen.id)

    assert done.answered == 1
    assert [(one.review_id, one.code) for one in done.skipped] == [(second.id, "risk_unconfirmed")]
    assert frozenset({first.left_key, first.right_key}) in partition_of(hub)


def test_an_answer_before_it_in_the_same_sheet_makes_a_merge_risky(hub: Hub) -> None:
    """A and B are others; whoever then merges A with C, which B may be too, has to look at it."""
    for key in (A, B, C):
        send(hub, key, name="red")
    by_pair = {frozenset((one.left_key, one.right_key)): one for one in reviews.list_reviews(hub)}
    apart, merge = by_pair[frozenset((A, B))], by_pair[frozenset((A, C))]

    done = bands.answer_many(hub, [bands.Chosen(apart.id, apart.versions)], APART, who="ann")
    assert done.answered == (apart.id,)
    refused = bands.answer_many(hub, [bands.Chosen(merge.id, merge.versions)], SAME, who="ann")

    assert [one.code for one in refused.left] == ["risk_unconfirmed"]


def test_a_sheet_takes_a_risky_merge_only_with_the_marks_that_its_refusal_names(hub: Hub, tmp_path: Path) -> None:
    risky = ask_guarded(hub)
    for key in ("crm-east/Account:1", "crm-west/Account:1"):
        send(hub, key, name="green")
    rows = written(hub, tmp_path / "sheet.xlsx")
    for row in rows:
        row["Decision"] = "Merge"

    report = read_sheet(hub, edited(tmp_path / "back.xlsx", rows), who="ann", dry_run=False)

    assert report.counts == {"answered": 1, "waits": 0, "already": 0, "empty": 0, "refused": 1}
    (refused,) = [one for one in report.results if one.result == "refused"]
    assert (refused.code, refused.row.review_id) == ("risk_unconfirmed", risky.id)
    (mark,) = marks_of(hub, risky)
    assert mark in refused.message
    row = by_name(rows, "red")
    row["Risks seen"] = mark
    again = read_sheet(hub, edited(tmp_path / "again.xlsx", [row]), who="ann", dry_run=False)
    assert again.counts["answered"] == 1
