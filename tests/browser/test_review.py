"""The review page in a real browser: a steward's day by keys alone and by mouse, and what may go wrong in it.

A shared code is 10 bits, an equal name 4: two widgets of one name are a question.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import Engine

from mdm.db.transaction import run
from mdm.decisions.review_model import ReviewFilter
from mdm.entities.model import ReviewGuards, ReviewPolicy
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.settings import Settings
from mdm.stewardship import reviews
from tests.browser.conftest import TEAM, Accessible, Console, served
from tests.hubs import WIDGETS, assert_sound, delivery, golden_by_key, hub_on, partition_of, register_instances
from tests.integration.stewardship.widgets import A, B, C, D, send, the_review, with_policy
from tests.people import PASSWORD, add_person

pytestmark = pytest.mark.browser

SETTLED_MS = 280  # a card that has only just come takes no answer for a quarter of a second
NUMBER_EAST, NUMBER_WEST = "15-048-3782", "00-136-8083"  # valid numbers of two companies


@pytest.fixture
def hub(engine: Engine) -> Hub:
    hub = hub_on(engine)
    register_instances(hub, "crm-east", "crm-west")
    return hub


@pytest.fixture
def console(browser: Browser, engine: Engine, database_url: str) -> Iterator[Console]:
    """Serve the console with widgets; mara is a lead, sam a steward."""
    settings = Settings(
        database_url=database_url, pool_size=4, password_memory_kib=8, password_passes=1, entities=(WIDGETS,)
    )
    with ExitStack() as held:
        found = Console(held.enter_context(served(settings)), browser)
        for login, role in TEAM:
            add_person(engine, login, role)
        yield found
        for context in browser.contexts:
            context.close()
        assert not found.faults, found.faults


def east(name: str) -> str:
    return f"crm-east/Account:{name}"


def west(name: str) -> str:
    return f"crm-west/Account:{name}"


def ask(hub: Hub, *names: str) -> None:
    """Ask of each name whether the one of the east and the one of the west are the same."""
    for place, name in enumerate(names):
        send(hub, east(name), name=name, note=f"{name} of the east", at=2 * place)
        send(hub, west(name), name=name, note=f"{name} of the west", at=2 * place + 1)


def ask_guarded(hub: Hub) -> None:
    """Ask of two whose fellows hold different numbers of companies."""
    send(hub, A, name="red", codes=["c1"])
    send(hub, C, codes=["c1"], batch=NUMBER_EAST, name="other")
    send(hub, B, name="red", codes=["c2"])
    send(hub, D, codes=["c2"], batch=NUMBER_WEST, name="another")


def open_card(page: Page) -> str:
    return page.locator("#card-form").get_attribute("data-review") or ""


def name_of(page: Page) -> str:
    """Read the name that a card is about."""
    return page.locator("#card-form [name=about]").input_value()


def with_card_kept(console: Console) -> Page:
    """Open the review page and wait until it keeps the next card ready."""
    page = console.open("/")
    with page.expect_response("**/review/ahead*"):
        page.goto(f"{console.url}/review")
    page.wait_for_timeout(SETTLED_MS)
    return page


def holding_answers(page: Page) -> list[Route]:
    """Let a page's answers wait on their way to the hub, until each is sent on."""
    waiting: list[Route] = []

    def hold(route: Route) -> None:
        waiting.append(route)

    page.route("**/decide", hold)
    return waiting


def after(page: Page, before: str) -> None:
    """Wait until another card, or none, is there and takes keys."""
    expect(page.locator("#card-form")).not_to_have_attribute("data-review", before)
    page.wait_for_timeout(SETTLED_MS)


def press(page: Page, *keys: str) -> None:
    """Press keys, the last of which answers the card."""
    before = open_card(page)
    for key in keys:
        page.keyboard.press(key)
    after(page, before)


def together(hub: Hub, name: str) -> bool:
    golden = golden_by_key(hub)
    return golden[east(name)] == golden[west(name)]


def test_a_day_by_keys_alone(console: Console, hub: Hub) -> None:
    names = [f"n{number:02}" for number in range(19)]
    ask(hub, *names)
    ask_guarded(hub)
    page = console.open("/review")
    answers = {}
    while open_card(page):
        name = name_of(page)
        if name == "red":
            page.keyboard.press("m")
            expect(page.locator("[data-key=m] .label")).to_have_text("Press again to merge two different batch number")
            press(page, "m")
            answers[name] = "merge"
            continue
        answers[name] = ("merge", "apart", "related", "typed")[len(answers) % 4]
        if answers[name] == "typed":
            type_note(page, f"{name} by hand")
        press(page, *{"merge": "m", "apart": "d", "related": "r1", "typed": "m"}[answers[name]])
    assert len(answers) == 20

    reopened: list[str] = []
    for _ in range(3):
        page.keyboard.press("u")
        expect(page.locator("#toast")).to_contain_text("Taken back")
        expect(page.locator("#card-form")).not_to_have_attribute("data-review", reopened[-1] if reopened else "")
        page.wait_for_timeout(SETTLED_MS)
        reopened.append(open_card(page))

    open_again = {one.id for one in reviews.list_reviews(hub)}
    assert open_again == set(reopened)
    undone = {re.sub(r".*:", "", one.left_key) for one in reviews.list_reviews(hub)}
    for name in names:
        is_merged = answers[name] in {"merge", "typed"} and name not in undone
        assert together(hub, name) == is_merged, (name, answers[name])
    related = [one for one in reviews.list_reviews(hub, ReviewFilter(state="closed")) if one.closed_because]
    assert {one.closed_because for one in related} >= {"answered same", "answered different"}
    assert_sound(hub)


def type_note(page: Page, text: str) -> None:
    """Go to the row of the note by keys and type a value."""
    while page.evaluate("document.activeElement.id") != "row-note":
        page.keyboard.press("j")
    page.keyboard.press("e")
    page.keyboard.press("Control+a")
    page.keyboard.type(text)
    page.keyboard.press("Enter")
    expect(page.locator("#row-note .result")).to_have_text(text)
    expect(page.locator("#row-note")).to_be_focused()


def test_a_value_is_picked_by_its_number_and_stands_after_the_merge(console: Console, hub: Hub) -> None:
    ask(hub, "red")
    page = console.open("/review")
    first = page.locator("#row-note .cell .txt").first.inner_text()
    page.locator("#row-note").focus()

    page.keyboard.press("1")
    expect(page.locator("#row-note .result")).to_have_text(first)
    expect(page.locator("#row-note .gold")).to_contain_text("your choice")
    press(page, "m")

    expect(page.locator("h1")).to_have_text("Nothing waits for you")
    with hub.engine.connect() as connection:
        shown = connection.exec_driver_sql(
            "SELECT values ->> 'note' FROM golden_version WHERE recorded_to IS NULL AND state = 'active'"
        ).scalar_one()
    assert shown == first


@pytest.mark.parametrize("width", [1440, 390])
def test_the_same_by_mouse(console: Console, hub: Hub, width: int) -> None:
    ask(hub, "red", "blue", "green")
    page = console.open("/review", viewport={"width": width, "height": 844})
    page.wait_for_timeout(SETTLED_MS)
    decided = []
    for label in ("Merge", "Keep apart", "Related, not same"):
        decided.append(name_of(page))
        before = open_card(page)
        page.get_by_role("toolbar").get_by_role("button", name=label).click()
        if label == "Related, not same":
            page.locator("#relations").get_by_role("button").nth(1).click()
        after(page, before)

    assert [together(hub, name) for name in decided] == [True, False, False]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("button", name="Undo the last answer").click()
    expect(page.locator("#card-form [name=about]")).to_have_value(decided[2])


@pytest.mark.parametrize("there", ["early", "htmx:after:swap"])
def test_a_second_press_does_not_answer_the_card_that_comes(console: Console, hub: Hub, there: str) -> None:
    ask(hub, "red", "blue")
    page = console.open("/review")
    before = open_card(page)
    page.wait_for_timeout(SETTLED_MS)

    page.evaluate(  # the second press, as soon as the next card is there
        f"document.addEventListener('{there}', () => document.body.dispatchEvent("
        "new KeyboardEvent('keydown', {key: 'd', bubbles: true})), {once: true})"
    )
    page.keyboard.press("d")
    expect(page.locator("#card-form")).not_to_have_attribute("data-review", before)
    page.wait_for_timeout(SETTLED_MS)

    assert len(reviews.list_reviews(hub)) == 1


def test_the_next_card_is_kept_ready_and_answered_like_any_other(console: Console, hub: Hub) -> None:
    ask(hub, "red", "blue")
    page = with_card_kept(console)
    first = name_of(page)

    with page.expect_response("**/decide") as answered:
        press(page, "d")

    assert answered.value.headers["x-shown"] == "held"
    second = name_of(page)
    assert {first, second} == {"red", "blue"}
    expect(page.locator("#queue [aria-current]")).to_contain_text(second)
    press(page, "m")
    assert [together(hub, name) for name in (first, second)] == [False, True]


def test_a_kept_card_is_there_with_the_key_and_waits_for_the_answer(console: Console, hub: Hub) -> None:
    ask(hub, "red", "blue", "green")
    page = with_card_kept(console)
    sent, first = holding_answers(page), name_of(page)

    page.keyboard.press("d")
    expect(page.locator("#card-form [name=about]")).not_to_have_value(first)
    second = name_of(page)
    expect(page.locator("#card")).to_have_attribute("inert", "")
    for key in ("m", "d", "s", "u", "1"):
        page.wait_for_timeout(SETTLED_MS)
        page.keyboard.press(key)
    assert len(sent) == 1
    assert len(partition_of(hub)) == 6

    sent[0].continue_()
    expect(page.locator("#card")).not_to_have_attribute("inert", "")
    expect(page.locator("#card h1")).to_be_focused()
    page.unroute("**/decide")
    page.wait_for_timeout(SETTLED_MS)
    press(page, "m")
    assert [together(hub, name) for name in (first, second)] == [False, True]


def test_an_answer_that_does_not_arrive_brings_its_card_back(console: Console, hub: Hub) -> None:
    ask(hub, "red", "blue")
    page = with_card_kept(console)
    first = name_of(page)
    page.route("**/decide", lambda route: route.abort())

    page.keyboard.press("d")

    expect(page.locator("#toast")).to_contain_text("The hub does not answer")
    expect(page.locator("#card-form [name=about]")).to_have_value(first)
    expect(page.locator("#card")).not_to_have_attribute("inert", "")
    page.unroute("**/decide")
    page.wait_for_timeout(SETTLED_MS)
    press(page, "m")
    assert together(hub, first)
    assert all("Failed to fetch" in fault for fault in console.faults)  # the one that was cut off
    console.faults.clear()


def test_a_kept_card_that_changed_since_gives_way_before_it_can_be_answered(console: Console, hub: Hub) -> None:
    ask(hub, "red", "blue")
    page = with_card_kept(console)
    other = "blue" if name_of(page) == "red" else "red"
    send(hub, east(other), name=other, note="from the far east", at=20)
    sent = holding_answers(page)

    page.keyboard.press("d")
    expect(page.locator("#card-form [name=about]")).to_have_value(other)
    page.keyboard.press("m")
    sent[0].continue_()

    expect(page.locator("#row-note")).to_contain_text("from the far east")
    expect(page.locator("#card")).not_to_have_attribute("inert", "")
    assert len(partition_of(hub)) == 4
    assert len(sent) == 1


def test_two_stewards_on_one_card(console: Console, hub: Hub) -> None:
    ask(hub, "red")
    mara = console.open("/review")
    sam = console.open(f"/review/{open_card(mara)}", who="sam")
    expect(sam.locator(".notice").first).to_contain_text("mara works on this card.")

    run(hub.engine, lambda connection: reviews.release(connection, the_review(hub).id, who="mara"))
    sam.keyboard.press("m")  # tries again
    expect(sam.locator(".notice")).to_have_count(0)
    mara.keyboard.press("m")

    expect(mara.get_by_role("alert")).to_contain_text("sam has taken this card meanwhile. Nothing was decided by you.")
    assert len(partition_of(hub)) == 2


def test_a_card_is_kept_while_it_is_open_and_its_loss_is_told(console: Console, hub: Hub) -> None:
    ask(hub, "red")
    page = console.open("/review")
    page.clock.install()
    page.reload()
    review_id = the_review(hub).id

    def until() -> datetime:
        found = the_review(hub).claimed_until
        assert found is not None
        return found

    before = until()
    with page.expect_response("**/renew"):
        page.clock.run_for(61_000)
    assert until() > before

    run(hub.engine, lambda connection: reviews.release(connection, review_id, who="mara"))
    console.open(f"/review/{review_id}", who="sam")
    page.clock.run_for(60_000)
    expect(page.locator("#claim")).to_contain_text("sam has taken this card meanwhile.")


def test_the_head_of_a_column_leads_to_its_record(console: Console, hub: Hub) -> None:
    ask(hub, "red")
    page = console.open("/review")

    with page.context.expect_page() as opened:
        page.locator(".cmp thead .id a").first.click()
    expect(opened.value.locator("h1")).to_have_text("red")
    expect(page.locator("#card-form")).to_have_attribute("data-review", the_review(hub).id)


def test_twelve_records_leave_the_answers_and_the_names_of_rows_in_sight(console: Console, hub: Hub) -> None:
    guarded = with_policy(hub, ReviewPolicy(guards=ReviewGuards(records_max=2)))
    keys = [f"crm-{('east', 'west')[number % 2]}/Account:{number:02}" for number in range(12)]
    deliver(guarded, [delivery(key, "widget_hold", codes=["c"], name=key, note="as told") for key in keys], who="test")
    page = console.open("/review")
    expect(page.locator(".cmp thead .id")).to_have_count(12)

    page.locator(".cmp thead .id").last.scroll_into_view_if_needed()

    for label in ("Keep together", "Part the first two"):
        expect(page.get_by_role("toolbar").get_by_role("button", name=label)).to_be_in_viewport(ratio=1)
    expect(page.locator("#row-name th")).to_be_in_viewport(ratio=1)
    expect(page.locator("#row-name .gold")).to_be_in_viewport(ratio=1)
    page.locator(".cmp thead .id").first.scroll_into_view_if_needed()
    expect(page.locator("#row-name .gold")).to_be_in_viewport(ratio=1)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_card_that_changes_underneath_keeps_what_was_typed(console: Console, hub: Hub) -> None:
    send(hub, A, name="red", note="from the east", at=1)
    send(hub, B, name="red", note="from the west", at=2)
    page = console.open("/review")
    type_note(page, "by hand")

    send(hub, A, name="red", note="from the far east", at=3)
    page.keyboard.press("m")

    expect(page.get_by_role("alert")).to_contain_text("The records changed while you looked.")
    expect(page.locator("#row-note")).to_contain_text("from the far east")
    expect(page.locator("#row-note .result")).to_have_text("by hand")
    press(page, "m")
    assert len(partition_of(hub)) == 1


def test_a_session_that_ends_loses_no_choice(console: Console, hub: Hub) -> None:
    ask(hub, "red")
    page = console.open("/review")
    type_note(page, "by hand")
    page.context.clear_cookies()

    page.keyboard.press("m")
    page.wait_for_url(re.compile(r"/sign-in\?next=/review/"))
    page.fill("#login", "mara")
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")

    expect(page.get_by_role("alert")).to_contain_text("You were signed out before your answer arrived.")
    expect(page.locator("#row-note .result")).to_have_text("by hand")
    assert len(partition_of(hub)) == 2
    press(page, "m")
    assert len(partition_of(hub)) == 1


def test_hostile_names_are_shown_and_never_run(console: Console, hub: Hub) -> None:
    name = '"><img src=x onerror=alert(1)><script>alert(1)</script>\u202egpj.exe\u200b{{7*7}}'
    ask(hub, name)
    page = console.open("/review")
    page.on("dialog", lambda _: pytest.fail("a script ran"))

    expect(page.locator("#row-name .cell").first).to_contain_text("<script>alert(1)</script>")
    expect(page.locator("#row-name .mark").first).to_be_visible()
    page.keyboard.press("r")
    expect(page.locator("#relations")).to_contain_text("<img src=x")
    press(page, "1")
    expect(page.locator("#toast")).to_contain_text("Related")


def test_every_state_of_the_page_is_accessible(console: Console, hub: Hub, accessible: Accessible) -> None:
    ask_guarded(hub)
    page = console.open("/review")
    accessible(page)
    page.keyboard.press("r")
    accessible(page)
    page.keyboard.press("Escape")
    page.set_viewport_size({"width": 390, "height": 844})
    accessible(page)
    page.set_viewport_size({"width": 1440, "height": 900})
    press(page, "r", "1")
    accessible(page)


def test_the_page_is_light(console: Console, hub: Hub) -> None:
    ask(hub, *(f"n{number:02}" for number in range(14)))
    page = console.open("/")
    page.wait_for_load_state("networkidle")  # what Home asks for last must not count here
    sizes: dict[str, int] = {}
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    session.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))

    page.goto(f"{console.url}/review", wait_until="networkidle")

    assert 3 < len(sizes) <= 7, [one.rpartition("/")[2] for one in asked]
    assert sum(sizes.values()) <= 160_000
