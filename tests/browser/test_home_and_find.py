"""Finding anything by keys alone, and the first page, in a real browser."""

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import Engine

from api.console.navigation import PAGES
from mdm.hub import Hub
from mdm.jobs.service import deliver
from tests.browser.conftest import Accessible, Console
from tests.hubs import delivery, golden_by_key, hub_on, register_instances

pytestmark = pytest.mark.browser

PHONE = {"width": 390, "height": 844}


@pytest.fixture
def stocked(engine: Engine) -> Hub:
    """Give a hub with three clients of two systems, two of them one, and a delivery that waits."""
    opened = hub_on(engine)
    register_instances(opened, "crm-east", "crm-west")
    deliver(
        opened,
        [
            delivery(
                "crm-east/account:A1", "customer", name="Harbour Lights Ltd", country="GB", vat_number="GB284661509"
            ),
            delivery(
                "crm-west/account:A2", "customer", name="Harbour Lights Limited", country="GB", vat_number="GB284661509"
            ),
            delivery("crm-east/account:A3", "customer", name="<script>alert(1)</script> Ltd", country="GB"),
            delivery("crm-east/account:A4", "customer", country="GB"),
        ],
        who="test",
    )
    return opened


LOOK = """() => [...document.querySelectorAll("#palette .found *")].map((element) => {
  const style = getComputedStyle(element);
  const told = ["display", "position", "color", "backgroundColor", "fontSize", "fontWeight", "padding", "width"];
  return [element.className, ...told.map((name) => style[name])].join(" | ");
})"""


def ask(page: Page, typed: str) -> None:
    page.keyboard.press("Control+k")
    page.keyboard.type(typed)
    page.wait_for_function("typed => document.querySelector('#palette .found')?.dataset.for === typed", arg=typed)


def is_within(page: Page) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))


def test_the_palette_remembers_what_was_opened_lately_until_they_sign_out(console: Console, stocked: Hub) -> None:
    golden_id = golden_by_key(stocked)["crm-east/account:A3"]
    page = console.open(f"/records/{golden_id}")
    page.goto(f"{console.url}/")

    page.keyboard.press("Control+k")
    first = page.locator("#palette [role=option]").first
    expect(first).to_contain_text("<script>alert(1)</script> Ltd")
    expect(first).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/records/{golden_id}")

    page.locator("details.me summary").click()
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")
    assert page.evaluate("localStorage.length") == 0


def test_the_palette_opened_as_the_page_comes_up_is_not_left_empty(console: Console, stocked: Hub) -> None:
    page = console.open(f"/records/{golden_by_key(stocked)['crm-east/account:A3']}")
    page.add_init_script(
        "document.addEventListener('DOMContentLoaded', () =>"
        " document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'k', ctrlKey: true, bubbles: true })))"
    )
    page.goto(f"{console.url}/")

    expect(page.locator("#palette [role=option]").first).to_contain_text("<script>alert(1)</script> Ltd")


def test_the_palette_leads_to_a_record_by_keys_alone(console: Console, stocked: Hub, accessible: Accessible) -> None:
    page = console.open("/")
    ask(page, "harbour light")
    selected = page.locator("#palette [aria-selected=true]")

    expect(selected).to_contain_text("Harbour Lights")
    expect(page.locator("#palette input")).to_have_attribute("aria-activedescendant", "found-1")
    accessible(page)
    page.keyboard.press("ArrowDown")
    expect(selected).to_contain_text("Show all that fits")
    expect(page.locator("#palette input")).to_have_attribute("aria-activedescendant", "found-2")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")

    golden_id = golden_by_key(stocked)["crm-east/account:A1"]
    page.wait_for_url(f"{console.url}/records/{golden_id}")


def test_the_palette_looks_the_same_on_every_page(console: Console, stocked: Hub) -> None:
    """On the review page its lines had the look of other things of that page that bear the same class."""
    page = console.open("/", who="ada")
    looks: dict[str, list[str]] = {}
    for each in PAGES:
        page.goto(console.url + each.url)
        ask(page, "A1")
        looks[each.url] = page.evaluate(LOOK)

    assert len(looks["/"]) > 8
    assert {url for url, look in looks.items() if look != looks["/"]} == set()


def test_enter_waits_for_what_was_typed_last(console: Console, stocked: Hub) -> None:
    page = console.open("/me")
    page.keyboard.press("Control+k")
    page.wait_for_selector("#palette .found")

    page.keyboard.type("exceptions")
    page.keyboard.press("Enter")

    page.wait_for_url(f"{console.url}/exceptions")


def test_commands_press_what_they_name(console: Console, stocked: Hub) -> None:
    page = console.open("/")
    ask(page, "dark")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(page.locator("#palette")).not_to_be_visible()

    ask(page, "shortcuts")
    page.keyboard.press("Enter")
    expect(page.locator("#help")).to_be_visible()
    assert page.url == f"{console.url}/"


def test_the_list_of_records_is_searched_and_walked_by_keys(
    console: Console, stocked: Hub, accessible: Accessible
) -> None:
    page = console.open("/records")
    accessible(page)
    page.keyboard.press("j")
    page.keyboard.press("j")
    assert page.evaluate("document.activeElement.matches('tr:nth-child(2) a[data-row]')")

    page.get_by_label("Search", exact=True).fill("GB284661509")
    page.keyboard.press("Enter")
    expect(page.locator("a[data-row]")).to_have_count(1)
    accessible(page)
    page.get_by_label("Search", exact=True).fill("nothing of the kind")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Nothing fits")).to_be_visible()


def test_home_tells_the_state_of_the_hub(console: Console, stocked: Hub, accessible: Accessible) -> None:
    page = console.open("/")

    expect(page.get_by_role("region", name="Records by system")).to_contain_text("Crm-East")
    expect(page.get_by_role("region", name="Duplicates found")).to_contain_text("3 records stand for 2.")
    accessible(page)
    page.get_by_role("link", name="Exceptions by reason").click()
    page.wait_for_url(f"{console.url}/exceptions")


def test_an_empty_hub_and_a_narrow_screen(console: Console, accessible: Accessible) -> None:
    page = console.open("/", viewport=PHONE)

    expect(page.get_by_text("mdm demo")).to_be_visible()
    accessible(page)
    assert is_within(page)


def test_pages_fit_a_telephone(console: Console, stocked: Hub, accessible: Accessible) -> None:
    page = console.open("/", viewport=PHONE)
    for path in ("/", "/records", "/records?q=harbour"):
        page.goto(console.url + path)
        assert is_within(page), path
    ask(page, "harbour")
    accessible(page)
    box = page.locator("#palette").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= PHONE["width"]
