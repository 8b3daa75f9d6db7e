"""The queue in a real browser: by keys, by mouse, on a phone; a band and a sheet from the first look to the end."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from mdm.hub import Hub
from mdm.stewardship import reviews
from mdm.stewardship.queue_bands import carry_some
from tests.browser.conftest import Accessible, Console
from tests.hubs import assert_sound, hub_on, partition_of, register_instances
from tests.integration.console.queues import ask_about_clients, decided, propose

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def hub(engine: Engine) -> Hub:
    opened = hub_on(engine)
    register_instances(opened, "crm-east", "crm-west")
    return opened


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_a_steward_filters_keeps_the_queue_and_opens_a_question_by_keys(
    hub: Hub, console: Console, accessible: Accessible
) -> None:
    one, *_ = ask_about_clients(hub, "Kestrel Ltd", "Heron \u202eLtd", "Siskin Ltd")
    page = console.open("/queue", who="sam")
    accessible(page)
    expect(page.locator("#size")).to_contain_text("3 questions")

    page.locator("#filter-source").select_option("crm-west")
    expect(page).to_have_url(f"{console.url}/queue?source=crm-west")
    page.get_by_label("Oldest").focus()
    page.keyboard.press("Space")
    expect(page).to_have_url(f"{console.url}/queue?by=oldest&source=crm-west")
    expect(page.get_by_label("Oldest")).to_be_checked()
    expect(page.locator("#filter-source")).to_have_value("crm-west")

    page.keyboard.press("s")
    page.keyboard.type("West first")
    page.keyboard.press("Enter")
    expect(page.get_by_role("link", name="West first")).to_have_attribute("aria-current", "page")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    href = page.evaluate("document.activeElement.getAttribute('href')")
    assert href == f"/review/{one.id}?source=crm-west&by=oldest"

    page.get_by_role("button", name="Remove the queue West first").click()
    expect(page).to_have_url(f"{console.url}/queue")
    expect(page.get_by_role("link", name="West first")).to_have_count(0)
    page.get_by_label("Score from, percent").fill("99")
    page.keyboard.press("Tab")
    expect(page.get_by_role("heading", name="Nothing here waits for an answer")).to_be_visible()
    accessible(page)


def test_a_band_is_looked_at_accepted_watched_and_done(hub: Hub, console: Console, accessible: Accessible) -> None:
    ask_about_clients(hub, "Kestrel Ltd", "Heron Ltd", "Siskin Ltd")
    page = console.open("/queue?type=customer", who="sam")

    page.keyboard.press("b")
    accessible(page)
    page.keyboard.press("Space")
    page.get_by_label("Why").fill("equal names in one town")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Merge · 3 questions about clients?")
    expect(page.locator(".sample")).to_have_count(3)
    accessible(page)

    page.keyboard.press("m")
    expect(page.get_by_role("button", name="Once more: answer all 3")).to_be_visible()
    page.keyboard.press("m")
    expect(page.get_by_role("heading", name="Under way")).to_be_visible()
    accessible(page)
    assert carry_some(hub) == 3  # the worker's task; nothing is clicked for what the page shows next
    expect(page.get_by_role("heading", name="Done")).to_be_visible()
    expect(page.locator("#band-progress")).to_contain_text("3 of 3")
    accessible(page)
    assert len(partition_of(hub)) == 3
    assert_sound(hub)


def test_a_sheet_is_downloaded_filled_in_tried_and_carried_out(
    hub: Hub, console: Console, accessible: Accessible, tmp_path: Path
) -> None:
    ask_about_clients(hub, "Kestrel Ltd", "Heron Ltd", "Siskin Ltd")
    page = console.open("/queue", who="sam")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Download what is shown").click()
    words = ("Merge", "Keep apart", "Perhaps")
    filled = tmp_path / "<b>mine.xlsx"
    filled.write_bytes(
        decided(Path(downloading.value.path()).read_bytes(), lambda number, _: {"Decision": words[number]})
    )

    page.get_by_label("The workbook with your decisions").set_input_files(filled)
    page.get_by_role("button", name="Try it").click()
    tried = page.locator("#sheet")
    expect(tried).to_contain_text("Tried, nothing changed yet: <b>mine.xlsx")
    expect(tried.get_by_role("row").nth(1)).to_contain_text("'Perhaps' is no decision")
    assert reviews.count_reviews(hub) == 3
    accessible(page)

    tried.get_by_role("button", name="Carry out 2 decisions").click()
    expect(tried).to_contain_text("Carried out")
    assert reviews.count_reviews(hub) == 1
    with page.expect_download() as downloading:
        tried.get_by_role("link", name="Save the sheet of results").click()
    assert downloading.value.suggested_filename == "results.xlsx"
    assert Path(downloading.value.path()).read_bytes().startswith(b"PK")


def test_a_lead_approves_on_a_phone_and_by_keys(hub: Hub, console: Console, accessible: Accessible) -> None:
    one, other = ask_about_clients(hub, "Kestrel Ltd", "Heron Ltd")
    propose(hub, one, other)
    phone = console.open("/queue?waiting=yes", viewport=PHONE)
    assert fits(phone)
    accessible(phone)
    phone.get_by_label("Tick the answer about Heron Ltd").check()
    phone.get_by_role("button", name="Approve").click()
    expect(phone.get_by_role("status").filter(has_text="Approved: 1")).to_be_visible()

    page = console.open("/queue?waiting=yes")
    page.keyboard.press("j")
    page.get_by_label("All", exact=True).check()
    page.keyboard.press("x")
    expect(page.get_by_text("Rejected: 1.")).to_be_visible()
    expect(page.get_by_role("heading", name="Nothing here waits for an answer")).to_be_visible()

    assert (reviews.get_review(hub, other.id).state, reviews.get_review(hub, one.id).state) == ("closed", "open")
    phone.goto(f"{console.url}/queue?type=customer")
    assert fits(phone)
    phone.get_by_role("button", name="Choose an answer").click()
    phone.get_by_label("Keep apart").check()
    phone.get_by_label("Why").fill("seen")
    phone.get_by_role("button", name="Look at a sample").click()
    phone.get_by_role("button", name="Keep apart: accept for 1 question").wait_for()
    assert fits(phone)
