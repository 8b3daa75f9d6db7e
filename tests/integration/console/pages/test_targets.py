"""The pages of targets: who sees which, what is refused, and what records' own words cannot do there."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from mdm.hub import Hub
from tests.boards import board
from tests.hubs import hub_on
from tests.integration.console.conftest import SignIn

pytestmark = pytest.mark.db


@pytest.fixture
def hub(engine: Engine, tmp_path: Path) -> Hub:
    opened = hub_on(engine)
    board(opened, tmp_path)
    return opened


def waiting(hub: Hub, target: str) -> int:
    statement = text("SELECT count(*) FROM delivery_lane WHERE target_id = :target AND acknowledged < head")
    with hub.engine.connect() as connection:
        return int(connection.execute(statement, {"target": target}).scalar_one())


def test_a_viewer_looks_a_steward_orders_and_a_lead_steers(hub: Hub, sign_in: SignIn) -> None:
    viewer, steward, lead = sign_in("vera", "viewer"), sign_in("sam", "steward"), sign_in("mara", "lead")

    pages = [each.get("/targets/books").text for each in (viewer, steward, lead)]

    assert ["Tell again" in page for page in pages] == [False, True, True]
    assert ["Pause" in page for page in pages] == [False, False, True]
    assert viewer.post("/targets/books/order", {"kind": "skip", "reason": "x"}).status_code == 403
    assert steward.post("/targets/books/stand", {"act": "pause", "reason": "x"}).status_code == 403
    assert waiting(hub, "books") == 2


def test_whoever_may_not_see_all_that_a_target_is_told_of_does_not_see_it(hub: Hub, sign_in: SignIn) -> None:
    limited = sign_in("pia", "lead", entity_types=("project",))

    assert "The books" not in limited.get("/targets").text
    assert limited.get("/targets/books").status_code == 404
    assert limited.post("/targets/books/stand", {"act": "pause", "reason": "x"}).status_code == 404
    assert limited.post("/targets/books/order", {"kind": "skip", "reason": "x"}).status_code == 404


def test_what_cannot_be_done_is_refused_with_words(hub: Hub, sign_in: SignIn) -> None:
    lead = sign_in("mara", "lead")
    refused = [
        ("/targets/books/order", {"kind": "skip", "what": "dead", "reason": " "}),
        ("/targets/books/order", {"kind": "skip", "what": "range", "since": "2026-01-01", "reason": "x"}),
        ("/targets/books/order", {"kind": "replay", "what": "range", "reason": "x"}),
        ("/targets/books/order", {"kind": "replay", "what": "failing", "reason": "x"}),
        ("/targets/books/order", {"kind": "replay", "what": "record", "reason": "x"}),
        ("/targets/books/order", {"kind": "forget", "reason": "x"}),
        ("/targets/books/stand", {"act": "pause", "reason": ""}),
        ("/targets/books/stand", {"act": "explode", "reason": "x"}),
        ("/targets/plans/stand", {"act": "resume", "reason": "not matched yet"}),
        ("/targets/share/stand", {"act": "pause", "reason": "files are not told"}),
    ]

    assert [lead.post(path, form).status_code for path, form in refused] == [422] * len(refused)
    assert waiting(hub, "books") == 2


def test_failures_of_other_systems_are_shown_as_text(hub: Hub, sign_in: SignIn) -> None:
    page = sign_in("mara", "lead").get("/targets/books").text

    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page
    assert "\u202e" not in page


def test_a_folder_of_files_and_an_unknown_cursor_have_pages_too(hub: Hub, sign_in: SignIn) -> None:
    visitor = sign_in("mara", "lead")

    assert "A folder of files" in visitor.get("/targets/share").text
    assert visitor.get("/targets/books?before=yesterday&done=replay-x").status_code == 200
    assert visitor.get("/targets/nobody").status_code == 404


def test_a_preview_reaches_what_the_order_then_does(hub: Hub, sign_in: SignIn) -> None:
    steward = sign_in("sam", "steward")

    assert "2 golden records" in steward.get("/targets/books/order?kind=skip&what=dead").text
    done = steward.post("/targets/books/order", {"kind": "skip", "what": "dead", "reason": "tests"})

    assert done.headers["location"] == "/targets/books?done=skip-2"
    assert "2 golden records were left out." in steward.get(done.headers["location"]).text
    assert waiting(hub, "books") == 0
