"""Targets in a real browser: what is seen of each, dead letters worked off with a reason, pausing, a telephone."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, text

from mdm.db.transaction import run
from mdm.hub import Hub
from mdm.reconciliation import backfills
from mdm.reconciliation.model import Progress
from tests.boards import board
from tests.browser.conftest import Accessible, Console
from tests.hubs import hub_on

pytestmark = pytest.mark.browser


@pytest.fixture
def hub(engine: Engine, tmp_path: Path) -> Hub:
    opened = hub_on(engine)
    board(opened, tmp_path)
    return opened


def lanes(hub: Hub) -> dict[str, int]:
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT state, count(*) AS lanes FROM delivery_lane WHERE target_id = 'books' AND acknowledged < head"
                " GROUP BY 1"
            )
        )
        return {row.state: row.lanes for row in rows}


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_dead_letters_are_told_again_and_left_out_with_a_reason(
    console: Console, hub: Hub, accessible: Accessible
) -> None:
    page = console.open("/targets")
    for words in ("Running", "Rests after failures", "Stopped by the hub", "Waits to be matched", "A folder of files"):
        expect(page.locator(".health").filter(has_text=words).first).to_be_visible()
    accessible(page)

    page.get_by_role("link", name="The books (NetSuite US)").click()
    expect(page.get_by_role("row").filter(has_text="refused")).to_have_count(4)  # two lanes, and two outcomes
    accessible(page)
    page.get_by_role("link", name="Leave out").first.click()
    expect(page.get_by_role("textbox", name="Why")).to_be_focused()
    page.keyboard.type("a test record")
    assert lanes(hub) == {"dead": 2}
    page.get_by_role("button", name="Leave out").click()
    expect(page.get_by_text("1 golden record was left out.")).to_be_visible()
    expect(page.get_by_role("cell", name="a test record")).to_be_visible()
    assert lanes(hub) == {"dead": 1}

    page.get_by_label("what it was told, or was given up, between").check()
    for label in ("From (UTC)", "Until (UTC)"):
        box = page.get_by_label(label).bounding_box()
        assert box is not None
        assert box["width"] >= 190, "narrower, and the end of the time is cut off"
    page.get_by_label("From (UTC)").fill("2026-01-01T00:00")
    page.get_by_role("button", name="Tell again…").click()
    expect(page.locator(".reach")).to_have_text("Tell again: 5 golden records")
    assert lanes(hub) == {"dead": 1}
    page.get_by_role("link", name="Cancel").click()

    page.get_by_role("button", name="Tell again…").click()
    expect(page.locator(".reach")).to_have_text("Tell again: 1 golden record")
    page.get_by_role("textbox", name="Why").fill("the field is longer now")
    page.get_by_role("button", name="Tell again", exact=True).click()
    expect(page.get_by_text("1 golden record is told again.")).to_be_visible()
    assert lanes(hub) == {"ready": 1}


def test_a_target_is_paused_and_resumed_for_a_reason_and_its_records_say_who_was_told(
    console: Console, hub: Hub, accessible: Accessible
) -> None:
    page = console.open("/targets/books")

    page.get_by_role("button", name="Pause…").click()
    accessible(page)
    page.keyboard.type("they restore a backup")
    page.get_by_role("dialog").get_by_role("button", name="Pause").click()

    expect(page.locator(".health")).to_have_text("Paused")
    expect(page.get_by_text("they restore a backup")).to_be_visible()
    page.get_by_role("button", name="Resume…").click()
    page.keyboard.type("done")
    page.get_by_role("dialog").get_by_role("button", name="Resume").click()
    expect(page.locator(".health")).to_have_text("Running")

    page.locator("#main tbody th a").first.click()
    known = page.locator("section").filter(has=page.get_by_role("heading", name="Who was told"))
    expect(known.get_by_role("listitem")).to_have_count(5)
    expect(known.get_by_text("given up")).to_be_visible()
    accessible(page)


def test_a_target_that_rests_says_since_when_and_until_when(console: Console, hub: Hub, accessible: Accessible) -> None:
    page = console.open("/targets/news")

    expect(page.get_by_role("status").filter(has_text="7 calls in a row were not answered.")).to_have_text(
        "7 calls in a row were not answered. It began 40 minutes ago. The next try is in 4 minutes."
        " It answered last 41 minutes ago."
    )
    accessible(page)


def test_they_fit_a_telephone(console: Console, hub: Hub, accessible: Accessible) -> None:
    page = console.open("/targets", viewport={"width": 390, "height": 844})
    assert fits(page)
    page.get_by_role("link", name="The books (NetSuite US)").click()
    page.wait_for_selector("#order")
    assert fits(page)
    accessible(page)


def test_a_backfill_under_way_is_followed_and_cancelled(console: Console, hub: Hub, accessible: Accessible) -> None:
    run(hub.engine, lambda connection: backfills.order(connection, "plans", "planned", who="mara"))
    page = console.open("/targets/plans")
    expect(page.get_by_text("A backfill waits for the worker")).to_be_visible()

    job = run(hub.engine, backfills.take_up)
    assert job is not None
    so_far = Progress("customer", 1_400, 1, 2)
    run(hub.engine, lambda connection: backfills.hold(connection, job, progress=so_far))
    expect(page.get_by_text("1400 records so far.")).to_be_visible(timeout=15_000)  # it looks again by itself
    accessible(page)
    page.get_by_role("button", name="Cancel the backfill").click()
    expect(page.get_by_text("was cancelled by mara")).to_be_visible()
    accessible(page)
