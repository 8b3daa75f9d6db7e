"""Mending what was rejected, by keys, in groups and on a telephone, in a real browser."""

from typing import Any

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine

from mdm.db.transaction import run
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.sources import exceptions
from mdm.sources.exceptions_model import ExceptionFilter
from tests.browser.conftest import Accessible, Console
from tests.hubs import delivery, golden_by_key, hub_on, register_instances

pytestmark = pytest.mark.browser


@pytest.fixture
def faulty(engine: Engine) -> Hub:
    """Give a hub with 23 clients without a name, one of them with values that would like to run."""
    opened = hub_on(engine)
    register_instances(opened, "crm-east")
    hostile: dict[str, Any] = {"note": '"><img src=x onerror=alert(1)>\u202e', "remark": "one\ntwo"}
    deliver(
        opened,
        [
            delivery("crm-east/account:A0", "customer", country="GB", **hostile),
            *(delivery(f"crm-east/account:A{n}", "customer", country="GB") for n in range(1, 23)),
        ],
        who="test",
    )
    return opened


def count(hub: Hub, state: str) -> int:
    return run(hub.engine, lambda c: exceptions.count_by(c, ExceptionFilter(state=state)))  # type: ignore[arg-type]


def test_an_exception_is_mended_tried_and_delivered_by_keys(
    console: Console, faulty: Hub, accessible: Accessible
) -> None:
    page = console.open("/exceptions")
    accessible(page)
    page.locator("a[data-row]").filter(has_text="A0").click()
    expect(page.get_by_role("status").filter(has_text="1 field is at fault")).to_be_visible()
    accessible(page)

    page.locator(".at-fault input").focus()
    page.keyboard.type("Harbour Lights Ltd")
    page.keyboard.press("Enter")
    expect(page.get_by_text("It would be taken, as a new record.")).to_be_visible()
    accessible(page)
    assert "crm-east/account:A0" not in golden_by_key(faulty)
    page.locator("h1").click()
    page.keyboard.press("d")

    expect(page.get_by_text("Delivered again, and taken.")).to_be_visible()
    accessible(page)
    assert "crm-east/account:A0" in golden_by_key(faulty)
    with faulty.engine.connect() as connection:
        (kept,) = exceptions.listed(connection, state="replayed")
    assert kept.fields["remark"] == "one\ntwo"


def test_a_dismissal_asks_why(console: Console, faulty: Hub, accessible: Accessible) -> None:
    page = console.open("/exceptions")
    page.locator("a[data-row]").filter(has_text="A7").click()
    page.wait_for_selector("#mend")

    page.keyboard.press("x")
    accessible(page)
    page.keyboard.type("a test record")
    page.get_by_role("button", name="Dismiss", exact=True).last.click()

    expect(page.get_by_text("a test record")).to_be_visible()
    assert count(faulty, "dismissed") == 1


def test_a_group_is_dismissed_piece_by_piece_after_asking_twice(
    console: Console, faulty: Hub, accessible: Accessible
) -> None:
    page = console.open("/exceptions")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="All 23 together")).to_be_visible()
    accessible(page)

    page.get_by_label("Why they are dismissed").fill("an import by mistake")
    page.get_by_role("button", name="Dismiss all").click()
    assert count(faulty, "dismissed") == 0
    page.get_by_role("button", name="Once more to dismiss all").click()

    expect(page.get_by_text("23 were dismissed.")).to_be_visible()
    accessible(page)
    assert (count(faulty, "open"), count(faulty, "dismissed")) == (0, 23)
    page.get_by_role("link", name="What waits now").click()
    expect(page.get_by_role("heading", name="Nothing waits here")).to_be_visible()
    accessible(page)


def test_it_fits_a_telephone(console: Console, faulty: Hub, accessible: Accessible) -> None:
    page = console.open("/exceptions", viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("a[data-row]").filter(has_text="A0").click()
    page.wait_for_selector("#mend")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    accessible(page)
