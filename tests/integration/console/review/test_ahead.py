"""The next card is kept ready in the page: shown only where it is still the next one, taken, and as it was."""

import pytest
from httpx2 import Response

from mdm.db.transaction import run
from mdm.hub import Hub
from mdm.stewardship import reviews
from tests.integration.console.review.visitors import HTMX, Steward, Visit, asks
from tests.integration.stewardship.widgets import send

pytestmark = pytest.mark.db


@pytest.fixture
def asking_twice(hub: Hub) -> Hub:
    """Give two questions."""
    for name in ("red", "blue"):
        for side in ("east", "west"):
            send(hub, f"crm-{side}/Account:{name}", name=name, note=f"{name} of the {side}")
    return hub


def ahead(steward: Steward, page: Response) -> Response:
    """Fetch the next card as the page does while this one is read."""
    return steward.get(f"/review/ahead?leaving={asks(page)}", **HTMX)


def keep_apart(steward: Steward, page: Response, held: str) -> Response:
    fields = {**steward.fields(page), "verdict": "different"}
    return steward.post(f"/review/{asks(page)}/decide", fields, held=held)


def test_the_next_card_is_fetched_without_being_taken(asking_twice: Hub, visit: Visit) -> None:
    mara = visit("mara")
    page = mara.get("/review")

    kept = ahead(mara, page)

    assert kept.status_code == 200
    assert asks(kept) != asks(page)
    claims = {one.id: one.claimed_by for one in reviews.list_reviews(asking_twice)}
    assert claims == {asks(page): "mara", asks(kept): None}


def test_an_answer_names_the_kept_card_and_takes_it(asking_twice: Hub, visit: Visit) -> None:
    mara = visit("mara")
    page = mara.get("/review")
    kept = ahead(mara, page)

    answer = keep_apart(mara, page, kept.headers["x-held"])

    assert answer.headers["x-shown"] == "held"
    assert 'id="card-form"' not in answer.text
    assert 'aria-current="true"' in answer.text  # the list knows which card is shown
    assert answer.headers["hx-replace-url"] == f"/review/{asks(kept)}"
    assert [(one.id, one.claimed_by) for one in reviews.list_reviews(asking_twice)] == [(asks(kept), "mara")]


def test_a_kept_card_whose_record_changed_is_never_shown(asking_twice: Hub, visit: Visit) -> None:
    mara = visit("mara")
    page = mara.get("/review")
    kept = ahead(mara, page)
    name = "red" if "red of the east" in kept.text else "blue"
    send(asking_twice, f"crm-east/Account:{name}", name=name, note="from the far east", at=9)

    answer = keep_apart(mara, page, kept.headers["x-held"])

    assert "x-shown" not in answer.headers
    assert asks(answer) == asks(kept)
    assert "from the far east" in answer.text


@pytest.mark.parametrize("change", ["note", "assignment"])
def test_a_kept_card_to_which_something_was_said_is_never_shown(asking_twice: Hub, visit: Visit, change: str) -> None:
    mara = visit("mara")
    page = mara.get("/review")
    kept = ahead(mara, page)
    review_id = next(one.id for one in reviews.list_reviews(asking_twice) if one.id == asks(kept))
    if change == "note":
        run(asking_twice.engine, lambda connection: reviews.comment(connection, review_id, "look twice", who="ben"))
    else:
        run(asking_twice.engine, lambda connection: reviews.assign(connection, review_id, "mara"))

    answer = keep_apart(mara, page, kept.headers["x-held"])

    assert "x-shown" not in answer.headers
    assert ("look twice" if change == "note" else "assigned to mara") in answer.text


def test_a_kept_card_that_somebody_else_took_is_never_shown(asking_twice: Hub, visit: Visit) -> None:
    mara, ben = visit("mara"), visit("ben")
    page = mara.get("/review")
    kept = ahead(mara, page)
    assert asks(ben.get(f"/review/{asks(kept)}")) == asks(kept)

    answer = keep_apart(mara, page, kept.headers["x-held"])

    assert "x-shown" not in answer.headers
    assert asks(answer) == ""  # nothing else waits for her


def test_what_another_session_keeps_is_nobody_elses(asking_twice: Hub, visit: Visit) -> None:
    """The kept card carries the token of its session's forms."""
    mara, ben = visit("mara"), visit("ben")
    page = mara.get("/review")
    kept = ahead(ben, page)

    answer = keep_apart(mara, page, kept.headers["x-held"])

    assert asks(answer) == asks(kept)
    assert "x-shown" not in answer.headers


def test_there_is_nothing_to_keep_behind_the_last_card(asking: Hub, visit: Visit) -> None:
    mara = visit("mara")

    assert ahead(mara, mara.get("/review")).status_code == 204


def test_a_refused_answer_shows_its_own_card_whatever_is_kept(asking_twice: Hub, visit: Visit) -> None:
    mara = visit("mara")
    page = mara.get("/review")
    kept = ahead(mara, page)
    fields = {**mara.fields(page), "verdict": "different"}
    stale = {name: "99" if name.startswith("expected.") else value for name, value in fields.items()}

    answer = mara.post(f"/review/{asks(page)}/decide", stale, held=kept.headers["x-held"])

    assert answer.status_code == 409
    assert asks(answer) == asks(page)
