"""Who sees and does what in the queue, and what its address and forms are refused for."""

import re

import pytest

from mdm.decisions.model import Verdict
from mdm.decisions.review_model import ReviewFilter
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.settings import Settings
from mdm.stewardship import answers, queue_bands, reviews
from mdm.stewardship.band_preview import band_preview
from tests.hubs import assert_sound, delivery, partition_of
from tests.integration.console.conftest import SignIn
from tests.integration.console.queues import WITH_WIDGETS, ask_about_clients, propose

pytestmark = pytest.mark.db

BAND = {"type": "customer", "judgement": "same", "reason": "equal names"}


@pytest.fixture
def settings(database_url: str) -> Settings:
    return Settings(database_url=database_url, **WITH_WIDGETS)


def ask_about_widgets(hub: Hub) -> None:
    for place in ("east", "west"):
        deliver(hub, [delivery(f"crm-{place}/Account:w", "widget_hold", name="Secret Widget")], who="test")


def band_on(page: str) -> str:
    found = re.search(r"/queue/bands/([a-z0-9_]+)/accept", page)
    assert found is not None
    return found[1]


def test_a_viewer_and_whoever_has_not_signed_in_see_no_queue(hub: Hub, sign_in: SignIn) -> None:
    vera = sign_in("vera", "viewer")

    refused = vera.get("/queue")
    assert (refused.status_code, "your role" in refused.text.lower()) == (403, True)
    assert vera.get("/queue/sheet").status_code == 403
    assert vera.post("/queue/bands", BAND).status_code == 403
    vera.client.cookies.clear()
    assert vera.get("/queue?type=customer").headers["location"] == "/sign-in?next=/queue%3Ftype%3Dcustomer"


def test_a_steward_of_one_entity_type_sees_and_counts_no_other(hub: Hub, sign_in: SignIn) -> None:
    ask_about_clients(hub, "Kestrel Ltd")
    ask_about_widgets(hub)
    sam = sign_in("sam", entity_types=("customer",))

    page = sam.get("/queue").text

    assert "Kestrel" in page
    assert "Secret Widget" not in page
    assert "<b>1 question</b>" in page
    assert sam.get("/queue?type=widget_hold").status_code == 422
    assert sam.get("/queue/sheet?type=widget_hold").status_code == 422
    assert b"Secret" not in sam.get("/queue/sheet").content
    assert sam.post("/queue/bands", {**BAND, "type": "widget_hold"}).status_code == 422


def test_a_band_of_another_entity_type_is_as_unknown_as_one_that_never_was(hub: Hub, sign_in: SignIn) -> None:
    ask_about_clients(hub, "Kestrel Ltd")
    sam = sign_in("sam", entity_types=("project",))
    seen = band_preview(hub, ReviewFilter(entity_types=("customer",)), Verdict("same", "equal names"), who="sam")

    for act in ("accept", "stop"):
        assert sam.post(f"/queue/bands/{seen.id}/{act}").status_code == 404
    assert sam.get(f"/queue/bands/{seen.id}").status_code == 404
    assert queue_bands.band_progress(hub, seen.id).state == "previewed"


def test_whoever_is_limited_to_some_systems_is_told_why_nothing_is_here(hub: Hub, sign_in: SignIn) -> None:
    ask_about_clients(hub, "Kestrel Ltd")
    sam = sign_in("sam", sources=("crm-east",))

    page = sam.get("/queue")

    assert (page.status_code, "Kestrel" in page.text) == (200, False)
    assert "limited to crm-east" in page.text
    assert sam.get("/queue/sheet").status_code == 403
    assert sam.post("/queue/bands", BAND).status_code == 403
    assert sam.post("/queue/saved", {"name": "mine"}).status_code == 403


def test_only_a_lead_approves_and_never_their_own(hub: Hub, sign_in: SignIn) -> None:
    one, other = ask_about_clients(hub, "Kestrel Ltd", "Heron Ltd")
    propose(hub, one, who="sam")
    propose(hub, other, who="mara")
    picks = [f"{each.id}:{reviews.get_review(hub, each.id).answer_id}" for each in (one, other)]
    sam, mara = sign_in("sam"), sign_in("mara", "lead")

    assert sam.post("/queue/settle", {"act": "approve", "pick": picks}).status_code == 403
    assert 'name="pick"' not in sam.get("/queue").text
    shown = mara.get("/queue?waiting=yes").text
    assert (picks[0] in shown, picks[1] in shown) == (True, False)

    told = mara.post("/queue/settle", {"act": "approve", "pick": picks})

    assert "Approved: 1. Refused: 1." in told.text
    assert reviews.get_review(hub, one.id).state == "closed"
    assert reviews.get_review(hub, other.id).state == "open"
    assert_sound(hub)


def test_an_answer_that_was_not_shown_is_not_approved_in_the_place_of_one_that_was(hub: Hub, sign_in: SignIn) -> None:
    (one,) = ask_about_clients(hub, "Kestrel Ltd")
    propose(hub, one, who="sam")
    pick = f"{one.id}:{reviews.get_review(hub, one.id).answer_id}"
    answers.undo(hub, review_id=one.id, who="sam")
    propose(hub, one, who="sam", reason="another one")
    mara = sign_in("mara", "lead")

    told = mara.post("/queue/settle", {"act": "approve", "pick": [pick]}).text

    assert "Approved: 0. Refused: 1." in told
    assert reviews.get_review(hub, one.id).answer_id is not None


def test_rejecting_leaves_the_question_open(hub: Hub, sign_in: SignIn) -> None:
    (one,) = ask_about_clients(hub, "Kestrel Ltd")
    propose(hub, one)
    mara = sign_in("mara", "lead")

    mara.post("/queue/settle", {"act": "reject", "pick": [f"{one.id}:{reviews.get_review(hub, one.id).answer_id}"]})

    now = reviews.get_review(hub, one.id)
    assert (now.state, now.answer_id) == ("open", None)
    assert mara.post("/queue/settle", {"act": "approve"}).status_code == 422


def test_a_band_is_accepted_by_who_looked_stopped_by_its_owner_or_a_lead_approved_by_a_lead(
    hub: Hub, sign_in: SignIn
) -> None:
    ask_about_clients(hub, "Kestrel Ltd", "Heron Ltd")
    sam, tom, mara = sign_in("sam"), sign_in("tom"), sign_in("mara", "lead")
    before = partition_of(hub)
    page = sam.post("/queue/bands", {**BAND, "judgement": "different"}).text
    band_id = band_on(page)

    assert tom.post(f"/queue/bands/{band_id}/accept").status_code in {403, 409}
    assert sam.post(f"/queue/bands/{band_id}/accept").headers["location"] == f"/queue/bands/{band_id}"
    assert sam.post(f"/queue/bands/{band_id}/approve").status_code == 403
    assert mara.post(f"/queue/bands/{band_id}/approve").status_code == 409  # it does not wait
    assert tom.post(f"/queue/bands/{band_id}/stop").status_code == 403
    assert "Under way" in sam.get(f"/queue/bands/{band_id}").text
    assert mara.post(f"/queue/bands/{band_id}/stop").status_code == 303
    assert "Stopped" in sam.get(f"/queue/bands/{band_id}").text
    assert partition_of(hub) == before


def test_a_band_whose_sample_moved_is_refused_with_words(hub: Hub, sign_in: SignIn) -> None:
    one, _ = ask_about_clients(hub, "Kestrel Ltd", "Heron Ltd")
    sam = sign_in("sam")
    band_id = band_on(sam.post("/queue/bands", BAND).text)
    answers.answer_review(hub, one.id, Verdict("different", "seen"), who="tom")

    refused = sam.post(f"/queue/bands/{band_id}/accept")

    assert refused.status_code == 409
    assert "moved since" in refused.text


def test_what_cannot_be_understood_is_refused_rather_than_left_out(hub: Hub, sign_in: SignIn) -> None:
    sam = sign_in("sam")

    for query in ("kind=nothing", "low=0", "low=1e1", "low=90&high=10", "due=never", "by=luck", "source=" + "x" * 65):
        assert sam.get(f"/queue?{query}").status_code == 422, query
    assert sam.get("/queue?after=AAAA").status_code == 400
    assert sam.post("/queue/bands", {"type": "customer", "judgement": "maybe", "reason": "x"}).status_code == 422


def test_queues_are_kept_shared_and_removed_by_their_owner_only(hub: Hub, sign_in: SignIn) -> None:
    sam, tom, pia = sign_in("sam"), sign_in("tom"), sign_in("pia", entity_types=("project",))
    hostile = "<b>Mine</b>\u202e"
    sam.post("/queue/saved", {"name": "Near the line", "low": "40", "high": "60", "type": "customer", "shared": "yes"})

    assert sam.post("/queue/saved", {"name": hostile}).status_code == 422  # not printable
    assert sam.post("/queue/saved", {"name": "<b>Mine</b>"}).status_code == 303
    own = sam.get("/queue").text
    assert "&lt;b&gt;Mine&lt;/b&gt;" in own
    assert "<b>Mine" not in own
    seen = tom.get("/queue").text
    assert '<a class="chip" href="/queue?type=customer&amp;low=40&amp;high=60">' in seen
    assert "Mine&lt;" not in seen
    assert "low=40&amp;high=60" not in pia.get("/queue").text  # of a type that is not hers

    assert "/end" not in seen  # nothing there is tom's to remove
    for queue_id in re.findall(r"/queue/saved/(\w+)/end", own):
        assert tom.post(f"/queue/saved/{queue_id}/end").status_code == 422
        assert sam.post(f"/queue/saved/{queue_id}/end").status_code == 303
    assert "chip" in sam.get("/queue").text
    assert "low=40" not in sam.get("/queue").text


def test_pages_follow_each_other_in_every_order_without_a_gap(
    hub: Hub, sign_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.console.queue_page.PAGE", 2)
    ask_about_clients(hub, "Kestrel Ltd", "Heron Ltd", "Siskin Ltd")
    sam = sign_in("sam")

    for order in ("useful", "oldest", "riskiest"):
        first = sam.get(f"/queue?by={order}").text
        after = re.search(r'after=([^"&]+)"', first)
        assert after is not None
        query = "" if order == "useful" else f"by={order}&"
        second = sam.get(f"/queue?{query}after={after[1]}").text
        ids = [set(re.findall(r'data-row href="/review/(\w+)', page)) for page in (first, second)]
        assert (len(ids[0]), len(ids[1]), len(ids[0] | ids[1])) == (2, 1, 3), order
