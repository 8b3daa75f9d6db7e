"""The page Rules in a real browser: lines moved by keyboard and by hand, what they cost, versions, a second person."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from mdm.hub import Hub
from mdm.jobs.rematch import rematch_some
from mdm.jobs.service import deliver
from mdm.modelling.service import overview
from tests.browser.conftest import Accessible, Console
from tests.hubs import delivery, hub_on, register_instances

pytestmark = pytest.mark.browser

NAMES = ("Kestrel", "Heron", "Siskin", "<b>Oak")


@pytest.fixture
def hub(engine: Engine) -> Hub:
    """Give a hub with four clients in two systems each: equal names in one town, which asks a question each."""
    opened = hub_on(engine)
    register_instances(opened, "crm-east", "crm-west")
    rows = [
        delivery(f"{source}/Account:{number}", "customer", legal_name=name, city="Hull")
        for number, name in enumerate(NAMES)
        for source in ("crm-east", "crm-west")
    ]
    deliver(opened, rows, who="test")
    return opened


def cost(page: Page, of: str) -> int:
    return int((page.locator(f".costs .{of} dd").first.inner_text()).split()[0].replace(",", ""))


def fits(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_a_line_is_moved_tried_and_let_hold_and_taken_back(console: Console, hub: Hub, accessible: Accessible) -> None:
    page = console.open("/rules?type=customer")
    expect(page.locator("svg.scores rect.review").first).to_be_visible()
    assert (cost(page, "match"), cost(page, "review")) == (0, 4)
    accessible(page)

    # Equal names (10.5 bits) in one town (2) before the prior (-11.5): 1 bit, below the line at 4, which moves to 1.
    page.locator("#match-line").focus()
    for _ in range(6):
        page.keyboard.press("ArrowLeft")
    expect(page.locator(".costs .match dd").first).to_contain_text("now 0")
    assert (cost(page, "match"), cost(page, "review")) == (4, 0)
    page.get_by_role("button", name="What would change?").first.click()
    panel = page.get_by_role("region", name="What would change")
    expect(panel.get_by_text("golden records that go up in another")).to_be_visible()
    expect(panel.get_by_role("link", name=NAMES[3]).first).to_be_visible()
    accessible(page)
    panel.get_by_role("textbox", name="Why").fill("names and towns are enough here")
    panel.get_by_role("button", name="Let it hold").click()

    expect(page.get_by_text("These rules hold now.")).to_be_visible()
    expect(page.get_by_role("cell", name="names and towns are enough here")).to_be_visible()
    while rematch_some(hub):
        pass
    assert hub.entity_type("customer").model.match_bits == 1
    page.get_by_role("button", name="Go back to the rules before").click()
    page.get_by_role("textbox", name="Why").fill("they are not")
    page.get_by_role("button", name="Let it hold").click()
    expect(page.get_by_text("What held when")).to_be_visible()
    assert [one.reason for one in overview(hub, "customer").activations] == [
        "they are not",
        "names and towns are enough here",
    ]


def test_a_line_is_dragged_and_takes_the_other_one_along(console: Console, hub: Hub) -> None:
    page = console.open("/rules?type=customer")
    grip = page.locator('.line-handle[data-line="review"] .grip')
    box, drawing = grip.bounding_box(), page.locator("svg.scores").bounding_box()
    assert box is not None
    assert drawing is not None

    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 90)
    page.mouse.down()
    page.mouse.move(drawing["x"] + 0.75 * drawing["width"], box["y"] + 90, steps=8)
    page.mouse.up()

    # Three quarters of the way from -16 to 24 bits are 14: the match line at 4 goes along.
    expect(page.locator("#review-line")).to_have_value("14")
    expect(page.locator("#match-line")).to_have_value("14")
    expect(page.locator(".costs .review dd").first).to_contain_text("now 4")
    page.get_by_role("button", name="Back to where they stand").click()
    expect(page.locator("#match-line")).to_have_value("4")
    expect(page.locator(".costs .review dd").first).not_to_contain_text("now")


def test_weights_and_values_are_kept_as_versions(console: Console, hub: Hub, accessible: Accessible) -> None:
    page = console.open("/rules?type=customer")
    page.locator("#weights summary").click()
    page.locator('[name="bits:city:same"]').fill("2.5")
    page.locator("#weights").get_by_role("button", name="What would change?").click()
    panel = page.get_by_role("region", name="What would change")
    expect(panel.get_by_role("row", name="city: same +2.0 +2.5")).to_be_visible()
    panel.get_by_role("textbox", name="Why").fill("towns tell more")
    panel.get_by_role("button", name="Only keep it as a version").click()
    expect(page.get_by_text("Kept as a version.")).to_be_visible()

    page.locator("#values summary").click()
    page.locator('[name="strategy:legal_name"]').select_option("most_recent")
    page.locator("#values").get_by_role("button", name="What would change?").click()
    expect(panel.get_by_role("cell", name="most_recent", exact=False).first).to_be_visible()
    accessible(page)
    panel.get_by_role("textbox", name="Why").fill("the newest name")
    panel.get_by_role("button", name="Let it hold").click()
    expect(page.get_by_text("These rules hold now.")).to_be_visible()

    found = overview(hub, "customer")
    assert [one.reason for one in found.models if one.origin == "edited"] == ["towns tell more"]
    assert [one.reason for one in found.choices] == ["the newest name"]
    assert found.holds.survivorship == found.choices[0].version


def test_a_steward_looks_and_a_telephone_shows_all_of_it(console: Console, hub: Hub, tmp_path: Path) -> None:
    page = console.open("/rules?type=customer", who="sam", viewport={"width": 390, "height": 844})
    expect(page.locator("svg.scores")).to_be_visible()
    assert fits(page)
    expect(page.get_by_role("button", name="Activate")).to_have_count(0)
    page.get_by_role("button", name="What would change?").first.click()
    expect(page.get_by_text("nothing was changed")).to_be_visible()

    page.locator("#review-line").focus()
    page.keyboard.press("ArrowLeft")
    page.get_by_role("button", name="What would change?").first.click()
    expect(page.get_by_text("A lead lets rules hold.")).to_be_visible()
    assert fits(page)


def test_a_refusal_is_told_in_the_language_of_the_reader(console: Console, hub: Hub) -> None:
    page = console.open("/me")
    page.get_by_label("Language").select_option("de")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    page.goto(f"{console.url}/rules?type=customer")

    page.get_by_role("button", name="Was würde sich ändern?").first.click()

    expect(page.get_by_role("alert")).to_have_text("Nichts wurde geändert. Ändern Sie zuerst etwas.")
