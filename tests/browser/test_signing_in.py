"""Signing in, out, and the frame around every page, in a real browser."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Accessible, Console

pytestmark = pytest.mark.browser


def test_who_has_not_signed_in_is_led_to_the_door_and_back(console: Console, accessible: Accessible) -> None:
    page = console.open("/me", who=None)
    expect(page).to_have_url(f"{console.url}/sign-in?next=/me")
    accessible(page)

    page.keyboard.type("mara")
    page.keyboard.press("Tab")
    page.keyboard.type("a guess at the password")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The name or the password is not right.")
    page.fill("#password", "four horses at the gate")
    page.keyboard.press("Enter")

    expect(page).to_have_url(f"{console.url}/me")
    accessible(page)


def test_signing_out_ends_the_session_at_once(console: Console) -> None:
    page = console.open("/")
    token = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "mdm_session")

    page.locator("details.me summary").click()
    page.get_by_role("button", name="Sign out").click()

    expect(page).to_have_url(f"{console.url}/sign-in")
    page.context.add_cookies([{"name": "mdm_session", "value": token, "url": console.url}])
    page.goto(console.url + "/")
    expect(page).to_have_url(f"{console.url}/sign-in")


def test_a_viewer_sees_the_pages_of_a_viewer_only(console: Console) -> None:
    page = console.open("/", who="vera")

    assert page.locator(".top nav a").all_inner_texts() == ["Home", "Records", "Activation", "Targets"]


def test_dark_and_the_language_are_kept_with_the_person(console: Console) -> None:
    page = console.open("/me")
    page.get_by_role("radio", name="Dark").check()
    page.get_by_label("Language").select_option("de")
    page.get_by_role("button", name="Save").click()
    page.wait_for_selector("html[lang=de][data-theme=dark]")

    other = console.open("/me")

    expect(other.locator("html")).to_have_attribute("lang", "de")
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")
