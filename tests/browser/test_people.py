"""Keeping people, in a real browser: the link that is shown once lets somebody in."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Accessible, Console
from tests.people import PASSWORD

pytestmark = pytest.mark.browser


def test_a_person_is_added_and_comes_in_by_the_link(console: Console, accessible: Accessible) -> None:
    page = console.open("/people", who="ada")
    accessible(page)
    page.keyboard.press("a")
    page.get_by_label("Name, as colleagues know it").fill("Uwe Öst")
    page.get_by_label("Name to sign in with").fill("uwe@example.com")
    page.get_by_role("radio", name="Viewer").check()
    page.locator(".limits summary").click()
    page.get_by_label("Clients").check()
    page.get_by_role("button", name="Add, and show the link").click()

    link = page.get_by_role("textbox", name="Link")
    expect(link).to_be_focused()
    accessible(page)
    address = link.input_value()
    assert address.startswith(console.url)
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()

    other = console.open("/sign-in", who=None)
    other.goto(address)
    other.fill("#password", PASSWORD)
    other.keyboard.press("Enter")
    other.wait_for_url(f"{console.url}/")
    assert other.locator(".top nav a").all_inner_texts() == ["Home", "Records", "Activation", "Targets"]


def test_keeping_out_asks_twice_and_ends_the_session(console: Console, accessible: Accessible) -> None:
    sam = console.open("/", who="sam")
    page = console.open("/people", who="ada")
    page.get_by_role("link", name="Sam").click()
    accessible(page)

    page.get_by_role("button", name="Keep out").click()
    page.get_by_role("button", name="Once more to keep out").click()
    expect(page.get_by_role("button", name="Let in again")).to_be_visible()
    accessible(page)

    sam.wait_for_timeout(600)
    sam.reload()
    expect(sam).to_have_url(f"{console.url}/sign-in")


def test_it_fits_a_telephone(console: Console, accessible: Accessible) -> None:
    page = console.open("/people", who="ada", viewport={"width": 390, "height": 844})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    accessible(page)
    page.get_by_role("link", name="Mara").click()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
