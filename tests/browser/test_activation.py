"""The board of deals and the page of one: seen, approved by a key, mended, cancelled, also on a telephone."""

from datetime import timedelta

import pytest
from playwright.sync_api import expect
from sqlalchemy import Engine, text

from mdm import clock
from mdm.activation import service
from mdm.hub import Hub
from tests.browser.conftest import Accessible, Console
from tests.deals import bill, follow, prepare, tell
from tests.hubs import hub_on

pytestmark = pytest.mark.browser


@pytest.fixture
def firm(engine: Engine) -> Hub:
    """Give a hub with a deal in each state, one that is incomplete and one with a name that would like to run."""
    hub = prepare(hub_on(engine))
    for number, name in enumerate(("Acme support 2027", "Acme data platform", "Acme ERP rollout 2026")):
        deal = follow(
            hub,
            tell(hub, f"salesforce-emea/Opportunity:{number}", contract_name=name, amount=str(48000 * (number + 1))),
        )
        if number:
            follow(hub, service.approve(hub, deal.id, who="mara"))
        if number == 2:
            bill(hub)
            follow(hub, service.retry(hub, deal.id, who="mara"))
    follow(hub, tell(hub, "salesforce-emea/Opportunity:3", contract_name="<script>alert(1)</script>\u202e deal"))
    tell(
        hub,
        "salesforce-emea/Opportunity:4",
        contract_name="Acme printers",
        currency="JPY",
        vat_number="DE136695977",
        amount=None,
    )
    with hub.engine.begin() as connection:
        connection.execute(
            text(
                "UPDATE deal SET entered_at = :at, since = since || jsonb_build_object(state, CAST(:at AS timestamptz))"
                " WHERE standing = 'incomplete'"
            ),
            {"at": clock.now() - timedelta(days=3)},
        )
    return hub


def test_the_board_shows_what_is_held_up_first(console: Console, firm: Hub, accessible: Accessible) -> None:
    page = console.open("/activation")

    expect(page.locator(".column h2")).to_have_text([r"Sold 1", "Activated 2", "Approved 1", "Ready to bill 1"])
    sold = page.locator(".column").first
    expect(sold.get_by_text("1 held up")).to_be_visible()
    expect(sold.get_by_text("1 late")).to_be_visible()
    expect(sold.get_by_text("Facts are missing or wrong")).to_be_visible()
    accessible(page)
    for width in (1440, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_contract_is_approved_by_a_key(console: Console, firm: Hub, accessible: Accessible) -> None:
    page = console.open("/activation")
    page.get_by_role("link", name="Acme support 2027").click()
    expect(page.get_by_text("Waits for somebody to approve the contract").first).to_be_visible()
    accessible(page)

    page.keyboard.press("a")

    # The client is there since another deal was billed, project and contract since then: nothing else is missing.
    expect(page.get_by_text("Everything is there")).to_be_visible()
    expect(page.locator(".steps .done")).to_have_count(8)
    accessible(page)


def test_an_incomplete_deal_is_mended_from_its_page(console: Console, firm: Hub, accessible: Accessible) -> None:
    page = console.open("/activation")
    page.get_by_role("link", name="Acme printers").click()
    expect(page.get_by_text("3 things to put right")).to_be_visible()
    accessible(page)

    page.keyboard.press("m")
    expect(page.get_by_text("3 fields are at fault")).to_be_visible()
    page.get_by_label("Amount").fill("9000")
    page.get_by_label("Currency").fill("EUR")
    page.get_by_label("Tax ids").fill("DE136695976")
    page.locator("h1").click()
    page.keyboard.press("d")

    expect(page.get_by_text("Delivered again, and taken.")).to_be_visible()


def test_a_deal_is_cancelled_after_a_question(console: Console, firm: Hub, accessible: Accessible) -> None:
    page = console.open("/activation")
    page.get_by_role("link", name="Acme data platform").click()
    page.get_by_role("button", name="Cancel the deal").click()
    accessible(page)
    page.get_by_role("dialog").get_by_role("button", name="Cancel the deal").click()

    expect(page.get_by_text("Cancelled; nothing of it is left")).to_be_visible()
    accessible(page)
    page.goto(f"{console.url}/activation?state=cancelled")
    expect(page.get_by_role("link", name="Acme data platform")).to_be_visible()


def test_a_viewer_sees_and_does_not_act(console: Console, firm: Hub) -> None:
    page = console.open("/activation", who="vera")
    page.get_by_role("link", name="Acme support 2027").click()

    expect(page.get_by_text("Waits for somebody to approve the contract").first).to_be_visible()
    expect(page.get_by_role("button", name="Approve the contract")).to_have_count(0)
