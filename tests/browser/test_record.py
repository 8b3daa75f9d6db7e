"""The page of one golden record in a real browser: seen as of then, operated on with a preview, by keys alone."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine, text

from mdm.ids import GoldenId
from mdm.stewardship.model import By, Merge
from mdm.stewardship.operations import perform
from tests.browser.conftest import Accessible, Console
from tests.hubs import delivery, golden_by_key, partition_of
from tests.record_firm import BRIGHTWATER, CE, HALDEN, NS, SF, brightwater, deliver_all

pytestmark = pytest.mark.browser

NARROW = {"width": 390, "height": 844}


def heading(page: Page) -> str:
    return page.locator("h1").inner_text()


def test_merge_with_a_preview_and_undo_by_keys_alone(console: Console, engine: Engine, accessible: Accessible) -> None:
    hub = brightwater(engine)
    golden, parted = golden_by_key(hub), partition_of(hub)
    page = console.open(f"/records/{golden[SF]}")
    accessible(page)

    page.keyboard.press("m")
    page.wait_for_url("**/do/merge")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("halden")
    expect(page.locator("#picks a")).to_have_count(1)
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("#preview")).to_contain_text("From then on its number leads to")
    expect(page.locator("#preview")).to_contain_text("1 source record changes its place")
    accessible(page)
    assert partition_of(hub) == parted  # looking changes nothing

    page.locator("#reason").focus()
    page.keyboard.type("one firm after all")
    page.keyboard.press("Enter")
    expect(page.locator("#done")).to_contain_text("Merged")
    assert frozenset({SF, NS, CE, HALDEN}) in partition_of(hub)

    page.keyboard.press("u")
    expect(page.locator("#done")).to_contain_text("Undone")
    assert partition_of(hub) == parted
    assert golden_by_key(hub) == golden


def test_a_split_by_keys_shows_its_parts_before_it_is_done(
    console: Console, engine: Engine, accessible: Accessible
) -> None:
    hub = brightwater(engine)
    page = console.open(f"/records/{golden_by_key(hub)[SF]}")

    page.keyboard.press("s")
    page.wait_for_url("**/do/split")
    expect(page.locator("#preview")).to_contain_text("Choose first")
    for _ in range(2):  # Certinia, then NetSuite: in the order of their keys
        page.keyboard.press("j")
    expect(page.locator(":focus")).to_contain_text("N-7")
    page.keyboard.press("2")
    expect(page.locator('[data-lane="2"]')).to_contain_text("N-7")
    expect(page.locator("#preview")).to_contain_text("with a number of its own")
    accessible(page)
    page.locator("#reason").fill("two firms")
    page.keyboard.press("Enter")

    expect(page.locator("#done")).to_contain_text("Divided")
    assert {frozenset({SF, CE}), frozenset({NS})} <= partition_of(hub)


def test_a_record_can_be_dragged_to_its_part(console: Console, engine: Engine) -> None:
    hub = brightwater(engine)
    page = console.open(f"/records/{golden_by_key(hub)[SF]}/do/split")

    page.locator(".lane-card", has_text="001A").drag_to(page.locator('[data-lane="2"]'))

    expect(page.locator('[data-lane="2"]')).to_contain_text("001A")
    expect(page.locator("#preview")).to_contain_text("1 source record changes its place")


def test_an_unmerge_from_the_history_gives_back_what_was(console: Console, engine: Engine) -> None:
    hub = brightwater(engine)
    golden, parted = golden_by_key(hub), partition_of(hub)
    survivor = GoldenId(golden[SF])
    perform(hub, Merge(survivor, GoldenId(golden[HALDEN]), survivor), By("ann", "one firm"))
    page = console.open(f"/records/{golden[HALDEN]}")
    expect(page.locator(".rec > #record .notice")).to_contain_text("was merged into this record")

    page.get_by_role("link", name="Unmerge…").click()
    expect(page.locator("#preview")).to_contain_text("returns")
    expect(page.locator("#preview")).to_contain_text("Halden Roe Partners LLP")
    page.locator("#reason").fill("two firms")
    page.get_by_role("button", name="Unmerge").click()

    expect(page.locator("#done")).to_contain_text("Merge undone")
    assert partition_of(hub) == parted
    assert golden_by_key(hub) == golden


def test_a_value_of_ones_own_until_a_date(console: Console, engine: Engine, accessible: Accessible) -> None:
    hub = brightwater(engine)
    page = console.open(f"/records/{golden_by_key(hub)[SF]}")
    last_day = (datetime.now(UTC) + timedelta(days=30)).date()

    page.locator("#f-legal_name").focus()
    page.keyboard.press("e")
    page.wait_for_url("**/values/legal_name")
    page.get_by_label("Another one, which you type").check()
    page.locator("#typed").fill("Brightwater & Partners Ltd")
    page.get_by_label("Until a day, that day included").check()
    page.locator("#until").fill(last_day.isoformat())
    expect(page.locator("#preview .is")).to_contain_text("Brightwater & Partners Ltd")
    accessible(page)
    page.locator("#reason").fill("until the register is right")
    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_have_text("Brightwater & Partners Ltd")
    expect(page.locator("#f-legal_name")).to_contain_text("Chosen by mara")
    with engine.connect() as connection:
        term, until = connection.execute(text("SELECT term, until FROM value_override")).one()
    assert (term, until.date()) == ("until", last_day)
    page.keyboard.press("u")
    expect(page.locator("h1")).to_have_text("Brightwater Consulting Ltd")


def test_the_slider_of_time_draws_the_page_anew(console: Console, engine: Engine, accessible: Accessible) -> None:
    hub = brightwater(engine)
    deliver_all(hub, delivery(SF, "customer", at=9, **{**BRIGHTWATER, "name": "Brightwater Advisory Ltd"}))
    page = console.open(f"/records/{golden_by_key(hub)[SF]}")
    assert heading(page) == "Brightwater Advisory Ltd"

    page.keyboard.press("t")
    expect(page.locator("#as-of")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.locator("h1")).to_have_text("Brightwater Consulting Ltd")
    expect(page.locator("#as-of")).to_be_focused()  # drawing anew takes nothing away from who moves it
    expect(page.locator("#f-legal_name")).to_contain_text("now: Brightwater Advisory Ltd")
    expect(page.locator(".member")).to_have_count(3)
    page.keyboard.press("Home")
    expect(page.locator(".member")).to_have_count(1)
    assert re.search(r"[?]version=1$", page.url)
    assert page.locator("#as-of").get_attribute("aria-valuetext")
    expect(page.get_by_role("link", name="Merge with…")).to_have_count(0)
    accessible(page)
    page.keyboard.press("End")

    expect(page.locator("h1")).to_have_text("Brightwater Advisory Ltd")
    expect(page.locator(".member")).to_have_count(3)


def test_why_not_with_another_record_by_its_name(console: Console, engine: Engine, accessible: Accessible) -> None:
    hub = brightwater(engine)
    page = console.open(f"/records/{golden_by_key(hub)[SF]}")

    page.keyboard.press("w")
    page.wait_for_url("**/why")
    page.keyboard.type("Halden Roe")
    page.keyboard.press("Enter")
    page.locator(".picks a").first.click()

    expect(page.locator(".sentence")).to_contain_text("were never compared")
    expect(page.locator(".evidence")).to_contain_text("halden roe")
    accessible(page)
    page.goto(f"{console.url}/records/{golden_by_key(hub)[SF]}/why?left={SF}&with={NS}")
    expect(page.locator("h1")).to_have_text("Why they are one")


def test_a_payload_is_read_on_demand_and_a_narrow_screen_holds_all(
    console: Console, engine: Engine, accessible: Accessible
) -> None:
    hub = brightwater(engine)
    golden_id = golden_by_key(hub)[SF]
    page = console.open(f"/records/{golden_id}", who="vera", viewport=NARROW)

    for path in (f"/records/{golden_id}/why?with={HALDEN}", f"/records/{golden_id}"):
        page.goto(console.url + path)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    accessible(page)
    page.goto(f"{console.url}/records/{golden_id}")
    page.locator(".member", has_text="N-7").get_by_text("What it delivered").click()
    expect(page.locator(".member", has_text="N-7")).to_contain_text("GB 980 7806 84")
    expect(page.get_by_role("link", name="Merge with…")).to_have_count(0)


def test_an_operation_fits_a_narrow_screen(console: Console, engine: Engine, accessible: Accessible) -> None:
    hub = brightwater(engine)
    golden = golden_by_key(hub)
    page = console.open(f"/records/{golden[SF]}/do/merge?with={golden[HALDEN]}", viewport=NARROW)

    for path in (f"/do/merge?with={golden[HALDEN]}", "/do/split", "/do/retire", "/values/tax_ids"):
        page.goto(f"{console.url}/records/{golden[SF]}{path}")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
    accessible(page)
