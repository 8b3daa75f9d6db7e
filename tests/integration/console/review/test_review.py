"""The review page over HTTP: whose page it is, what its forms may say, and that nothing happens twice."""

import gc
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from api.console.views.card import CardView
from mdm.db.transaction import run
from mdm.entities.model import ReviewGuards, ReviewPolicy
from mdm.hub import Hub
from mdm.ids import ReviewId
from mdm.jobs.service import deliver
from mdm.settings import Settings
from mdm.stewardship import reviews
from tests.hubs import WIDGETS, delivery, partition_of
from tests.integration.console.review.visitors import Steward, Visit, asks, decide, words
from tests.integration.stewardship.widgets import A, B, C, D, acknowledge, send, the_review, with_policy

pytestmark = pytest.mark.db


def test_the_page_is_a_stewards(asking: Hub, visit: Visit, client: TestClient) -> None:
    stranger = Steward(client)
    review_id = the_review(asking).id

    assert stranger.get("/review").headers["location"] == "/sign-in?next=/review"
    assert visit("vera", "viewer").get("/review").status_code == 403
    assert asks(visit("mara").get("/review")) == review_id


def test_a_form_without_the_token_changes_nothing(asking: Hub, visit: Visit) -> None:
    mara = visit("mara")
    page = mara.get("/review")
    fields = {name: value for name, value in mara.fields(page).items() if name != "csrf"}

    refused = mara.post(f"/review/{asks(page)}/decide", {**fields, "verdict": "merge"}, csrf=False)

    assert refused.status_code == 403
    assert len(partition_of(asking)) == 2


def test_who_is_limited_to_other_types_finds_an_empty_desk_and_no_card(asking: Hub, visit: Visit) -> None:
    sam = visit("sam", entity_types=("customer",))
    review_id = the_review(asking).id

    assert asks(sam.get("/review")) == ""
    assert "0 wait" in words(sam.get("/review"))
    assert sam.get(f"/review/{review_id}").status_code == 404
    for act in ("decide", "skip", "assign", "comment", "approve", "reject", "withdraw", "release", "pick", "claim"):
        assert sam.post(f"/review/{review_id}/{act}", {"verdict": "merge", "note": "x"}).status_code == 404
    assert the_review(asking).claimed_by is None


def test_who_is_limited_to_a_source_finds_an_empty_desk(asking: Hub, visit: Visit) -> None:
    assert asks(visit("sam", sources=("crm-east",)).get("/review")) == ""


def test_opening_a_card_claims_it_and_moving_on_gives_it_back(hub: Hub, visit: Visit) -> None:
    for name, pair in (("red", (A, B)), ("blue", (C, D))):
        for key in pair:
            send(hub, key, name=name)
    mara = visit("mara")

    first = asks(mara.get("/review"))
    held = {one.id: one.claimed_by for one in reviews.list_reviews(hub)}
    second = next(id_ for id_ in held if id_ != first)
    mara.get(f"/review/{second}?leaving={first}", **{"HX-Request": "true"})

    assert held[ReviewId(first)] == "mara"
    assert {one.id: one.claimed_by for one in reviews.list_reviews(hub)} == {first: None, second: "mara"}


@pytest.mark.oldest
def test_an_answer_brings_the_next_card_the_list_and_a_message(hub: Hub, visit: Visit) -> None:
    for name, pair in (("red", (A, B)), ("blue", (C, D))):
        for key in pair:
            send(hub, key, name=name)
    mara = visit("mara")
    page = mara.get("/review")

    answer = decide(mara, page, "merge")

    assert answer.status_code == 200
    assert asks(answer) not in {"", asks(page)}
    assert answer.headers["hx-replace-url"] == f"/review/{asks(answer)}"
    assert 'hx-target="#queue"' in answer.text
    assert "Merged" in words(answer)
    assert len(partition_of(hub)) == 3


def test_the_same_press_sent_twice_has_one_effect(asking: Hub, visit: Visit) -> None:
    mara = visit("mara")
    page = mara.get("/review")

    first, second = decide(mara, page, "different"), decide(mara, page, "different")

    assert (first.status_code, second.status_code) == (200, 200)
    assert "Kept apart" in words(second)
    _, given = reviews.what_was_said(asking, the_review(asking, state="closed").id)
    assert len(given) == 1


def test_the_second_of_two_stewards_is_told_who_was_first(asking: Hub, visit: Visit) -> None:
    mara, sam = visit("mara"), visit("sam")
    page = mara.get("/review")
    run(asking.engine, lambda connection: reviews.release(connection, the_review(asking).id, who="mara"))
    decide(sam, sam.get(f"/review/{asks(page)}"), "different")

    late = decide(mara, page, "merge")

    assert late.status_code == 409
    assert "sam answered this card before you: Kept apart. Yours changed nothing" in words(late)
    assert len(partition_of(asking)) == 2


def test_another_answer_from_a_second_tab_is_told_as_one_s_own(asking: Hub, visit: Visit) -> None:
    mara = visit("mara")
    page = mara.get("/review")
    decide(mara, page, "different")

    late = decide(mara, page, "merge")

    assert late.status_code == 409
    assert "You answered this card already: Kept apart. This press changed nothing" in words(late)
    assert len(partition_of(asking)) == 2


def test_the_history_of_a_card_tells_no_reason_that_nobody_wrote(asking: Hub, visit: Visit) -> None:
    mara = visit("mara")
    decide(mara, mara.get("/review"), "merge")

    again = words(mara.post("/review/undo"))

    assert "Merge, taken back" in again
    assert "answered on the review card" not in again
    assert "ans_" not in again


def test_a_card_that_somebody_else_holds_can_be_read_and_not_answered(asking: Hub, visit: Visit) -> None:
    mara, sam = visit("mara"), visit("sam")
    page = mara.get("/review")

    seen = sam.get(f"/review/{asks(page)}")
    refused = decide(sam, seen, "merge")

    assert "mara works on this card." in words(seen)
    assert 'value="merge"' not in seen.text
    assert refused.status_code == 409
    assert "mara has taken this card meanwhile. Nothing was decided by you." in words(refused)
    assert asks(sam.get("/review")) == ""  # nobody is dealt what somebody else holds


def test_a_card_whose_records_changed_comes_anew_with_what_was_typed(asking: Hub, visit: Visit) -> None:
    mara = visit("mara")
    page = mara.get("/review")
    send(asking, A, name="red", note="from the far east", at=3)

    again = decide(mara, page, "merge", **{"choice.name": "text:Red Company"})

    assert again.status_code == 409
    assert asks(again) == asks(page)
    assert "The records changed while you looked." in words(again)
    assert "from the far east" in words(again)
    assert "What you chose is kept where it still fits." in words(again)
    assert mara.fields(again)["choice.name"] == "text:Red Company"
    assert len(partition_of(asking)) == 2
    assert decide(mara, again, "merge").status_code == 200
    assert len(partition_of(asking)) == 1


def test_a_pick_shows_the_merged_record_and_the_same_pick_again_takes_it_back(asking: Hub, visit: Visit) -> None:
    mara = visit("mara")
    page = mara.get("/review")
    url = f"/review/{asks(page)}/pick"

    picked = mara.post(url, {**mara.fields(page), "attribute": "note", "take": "pick:0"})
    back = mara.post(url, {**mara.fields(picked), "attribute": "note", "take": "pick:0"})
    typed = mara.post(url, {**mara.fields(back), "attribute": "codes", "how": "list", "typed": "x1\nx2"})

    assert "your choice" in words(picked)
    assert mara.fields(picked)["choice.note"] == "pick:0"
    assert "your choice" not in words(back)
    assert "choice.note" not in mara.fields(back)
    assert mara.fields(typed)["choice.codes"] == "list:x1\nx2"
    assert len(partition_of(asking)) == 2


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"verdict": "marry"}, 422),
        ({}, 422),
        ({"verdict": "merge", "expected.wht_x": "minus one"}, 422),
        ({"verdict": "related", "relation": "cousin_of"}, 422),
        ({"verdict": "related"}, 422),
    ],
)
def test_a_form_that_says_nonsense_changes_nothing(
    asking: Hub, visit: Visit, fields: dict[str, str], status: int
) -> None:
    mara = visit("mara")
    page = mara.get("/review")

    refused = mara.post(f"/review/{asks(page)}/decide", {**mara.fields(page), **fields})

    assert refused.status_code == status
    assert len(partition_of(asking)) == 2


def test_an_answer_that_names_no_version_is_refused(asking: Hub, visit: Visit) -> None:
    mara = visit("mara")
    page = mara.get("/review")

    refused = mara.post(f"/review/{asks(page)}/decide", {"verdict": "merge"})

    assert refused.status_code == 409
    assert len(partition_of(asking)) == 2


def test_what_is_skipped_comes_after_all_others_for_the_rest_of_the_day(hub: Hub, visit: Visit) -> None:
    for name, pair in (("red", (A, B)), ("blue", (C, D))):
        for key in pair:
            send(hub, key, name=name)
    mara = visit("mara")
    first = asks(mara.get("/review"))

    second = asks(mara.post(f"/review/{first}/skip"))
    reloaded = asks(mara.get("/review"))
    third = asks(mara.post(f"/review/{second}/skip"))

    assert len({first, second}) == 2
    assert (reloaded, third) == (second, first)


def test_assigning_to_somebody_else_moves_on(asking: Hub, visit: Visit) -> None:
    mara, sam = visit("mara"), visit("sam")
    page = mara.get("/review")

    given = mara.post(f"/review/{asks(page)}/assign", {"assignee": "sam"})

    assert asks(given) == asks(mara.get("/review")) == ""
    assert "Assigned to sam" in words(given)
    assert "yours" in words(sam.get("/review"))


def test_a_note_stays_with_the_card(asking: Hub, visit: Visit) -> None:
    mara, sam = visit("mara"), visit("sam")
    page = mara.get("/review")

    mara.post(f"/review/{asks(page)}/comment", {"note": "they moved <b>house</b>"})

    assert "they moved &lt;b&gt;house&lt;/b&gt;" in sam.get(f"/review/{asks(page)}").text


def test_undo_goes_back_answer_by_answer(hub: Hub, visit: Visit) -> None:
    for name, pair in (("red", (A, B)), ("blue", (C, D))):
        for key in pair:
            send(hub, key, name=name)
    before = partition_of(hub)
    mara = visit("mara")
    first = mara.get("/review")
    second = decide(mara, first, "merge")
    decide(mara, second, "merge")

    assert asks(mara.post("/review/undo")) == asks(second)
    assert asks(mara.post("/review/undo")) == asks(first)
    nothing = mara.post("/review/undo")

    assert partition_of(hub) == before
    assert nothing.status_code == 409
    assert nothing.headers["hx-retarget"] == "#toast"
    assert "no answer left to take back" in words(nothing)


def test_without_scripts_a_form_leads_to_the_next_page(asking: Hub, visit: Visit) -> None:
    mara = visit("mara")
    page = mara.get("/review")

    answer = mara.post(f"/review/{asks(page)}/decide", {**mara.fields(page), "verdict": "different"}, part=False)

    assert (answer.status_code, answer.headers["location"]) == (303, "/review")


def test_a_session_that_ended_leads_back_to_the_card(asking: Hub, visit: Visit, client: TestClient) -> None:
    page = visit("mara").get("/review")
    url = f"/review/{asks(page)}"

    answer = client.post(
        f"{url}/decide",
        data={"verdict": "merge"},
        headers={"HX-Request": "true", "HX-Current-URL": f"http://elsewhere.example{url}"},
    )

    assert (answer.status_code, answer.headers["hx-redirect"]) == (204, f"/sign-in?next={url}")
    assert len(partition_of(asking)) == 2


class TestSecondPerson:
    """Two established golden records: a merge waits for somebody else."""

    @pytest.fixture
    def settings(self, settings: Settings, tmp_path: Path) -> Settings:
        declared = (WIDGETS / "widget_hold.yaml").read_text()
        (tmp_path / "widget_hold.yaml").write_text(f"{declared}\nreviews:\n  approval: {{established: true}}\n")
        return settings.model_copy(update={"entities": (tmp_path,)})

    @pytest.fixture
    def waiting(self, asking: Hub, visit: Visit) -> tuple[Steward, str]:
        acknowledge(asking, A, B)
        mara = visit("mara")
        page = mara.get("/review")
        assert "A merge waits for a second person: it joins two that are both in use." in words(page)
        answer = decide(mara, page, "merge", **{"choice.note": "text:by hand"})
        assert "Waits for a second person: it joins two that are both in use" in words(answer)
        assert len(partition_of(asking)) == 2
        return mara, asks(page)

    def test_another_person_approves(self, asking: Hub, visit: Visit, waiting: tuple[Steward, str]) -> None:
        sam = visit("sam")

        seen = sam.get(f"/review/{waiting[1]}")
        done = sam.post(f"/review/{waiting[1]}/approve")

        assert "approve it or turn it down" in words(seen)
        assert "Approved and done" in words(done)
        assert len(partition_of(asking)) == 1

    def test_another_person_turns_it_down(self, asking: Hub, visit: Visit, waiting: tuple[Steward, str]) -> None:
        sam = visit("sam")

        done = sam.post(f"/review/{waiting[1]}/reject")

        assert asks(done) == waiting[1]
        assert len(partition_of(asking)) == 2

    def test_the_author_takes_it_back_and_cannot_approve_it(self, asking: Hub, waiting: tuple[Steward, str]) -> None:
        mara, review_id = waiting

        assert mara.post(f"/review/{review_id}/approve").status_code == 409
        assert asks(mara.post(f"/review/{review_id}/withdraw")) == review_id
        assert the_review(asking).answer_id is None


@pytest.mark.parametrize(("count", "columns"), [(3, 3), (12, 12), (14, 12)])
def test_the_records_of_a_cluster_stand_in_columns_up_to_a_bound(
    hub: Hub, visit: Visit, count: int, columns: int
) -> None:
    guarded = with_policy(hub, ReviewPolicy(guards=ReviewGuards(records_max=2)))
    keys = [f"crm-east/Account:{number:02}" for number in range(count)]
    deliver(guarded, [delivery(key, "widget_hold", codes=["c"], name=key) for key in keys], who="test")
    mara = visit("mara")

    page = mara.get("/review")
    kept = decide(mara, page, "merge")

    assert f"Do these {count} records belong to one widget hold?" in words(page)
    assert page.text.count('<span class="id"') == columns
    assert ("2 more records have no column" in words(page)) == (count == 14)
    assert "Keep together" in words(page)
    assert "If you merge" not in words(page)
    assert kept.status_code == 200
    assert len(partition_of(hub)) == 1


def test_a_card_leaves_memory_with_its_page(asking: Hub, visit: Visit) -> None:
    """What only the garbage collector finds piles up until it looks, and then a page waits for it."""
    mara = visit("mara")
    mara.get("/review")
    gc.collect()
    gc.disable()
    try:
        page = mara.get("/review")
        left = [one for one in gc.get_objects() if isinstance(one, CardView)]
    finally:
        gc.enable()

    assert asks(page)
    assert not left
