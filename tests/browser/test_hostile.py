"""Whatever people and systems write is shown as text: every page, once, with a payload in every field.

The policy of the console would stop most of what gets onto a page; here nothing may get there at all. A watch looks at
each page after it has settled: elements, attributes and addresses that no template writes, letters that cannot be
seen. The last test plants the payloads unescaped and proves that the watch sees them.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Dialog, Page, Request, expect
from sqlalchemy import Engine

from api.access_table import ACCESS
from api.console.views.text import plain
from tests.browser.conftest import Console
from tests.browser.hostile_corpus import HIDDEN, MARKUP, PAYLOADS, WORKED_OUT
from tests.browser.hostile_hub import Hostile, hostile_hub
from tests.integration.console.queues import decided

pytestmark = pytest.mark.browser

WATCH: Final = (Path(__file__).parent / "hostile_watch.js").read_text()
# What answers GET and is no page: the API, its files, and what machines ask.
NO_PAGES: Final = re.compile(r"/v1/.*|/static/.*|/docs(/.*)?|/(openapi|asyncapi)\.json|/healthz|/readyz|/metrics")
ECHO: Final = quote('"><img src=x onerror=alert(1)>{{1241*1231}}\u202e', safe="")

Visits = Mapping[str, Callable[[Hostile], tuple[str, ...]]]

PAGES: Final[Visits] = {
    "/": lambda _: ("/",),
    "/me": lambda _: ("/me",),
    "/sign-in": lambda _: (f"/sign-in?next=/{ECHO}",),
    "/sign-in/link/{token}": lambda _: (f"/sign-in/link/{ECHO}",),
    "/sign-in/oidc": lambda _: (f"/sign-in/oidc?next={ECHO}",),
    "/sign-in/oidc/callback": lambda _: (f"/sign-in/oidc/callback?error={ECHO}&state={ECHO}",),
    "/review": lambda _: ("/review", f"/review?source={ECHO}"),
    "/review/ahead": lambda _: ("/review/ahead",),  # a queue without a next card answers 204, which no browser shows
    "/review/people": lambda _: ("/review/people",),
    "/review/{review_id}": lambda it: (
        *(f"/review/{one.id}" for one in (it.pair, it.cluster, it.waiting)),
        f"/review/{ECHO}",
    ),
    "/find": lambda _: (f"/find?q={ECHO}", "/find?q=alert"),
    "/records": lambda _: (f"/records?q={ECHO}", "/records?q=alert"),
    "/activation": lambda _: ("/activation", "/activation?state=cancelled", f"/activation?state={ECHO}"),
    "/activation/{deal_id}": lambda it: (*(f"/activation/{one}" for one in it.deals), f"/activation/{ECHO}"),
    "/exceptions": lambda _: ("/exceptions", "/exceptions?state=dismissed", f"/exceptions?code={ECHO}&source={ECHO}"),
    "/exceptions/{exception_id}": lambda it: (
        *(f"/exceptions/{one}" for one in (it.rejected, it.dismissed)),
        f"/exceptions/{ECHO}",
    ),
    "/targets": lambda _: ("/targets",),
    "/targets/{target_id}": lambda it: (
        *(f"/targets/{it.target}{one}" for one in ("", "?lanes=dead", f"?before={ECHO}&after={ECHO}&done={ECHO}")),
        f"/targets/{ECHO}",
    ),
    "/targets/{target_id}/order": lambda it: (
        f"/targets/{it.target}/order?kind=replay&what=dead",
        f"/targets/{it.target}/order?kind=skip&what=record&golden_id={it.golden}",
        f"/targets/{it.target}/order?kind=skip&what=record&golden_id={ECHO}",
    ),
    "/rules": lambda _: ("/rules?type=customer", f"/rules?type={ECHO}&done={ECHO}"),
    "/rules/lines": lambda _: ("/rules/lines?type=customer", f"/rules/lines?type={ECHO}&review={ECHO}"),
    "/rules/work": lambda _: ("/rules/work?type=customer", f"/rules/work?type={ECHO}"),
    "/people": lambda _: ("/people",),
    "/people/{person_id}": lambda it: (f"/people/{it.person}", f"/people/{ECHO}"),
    "/queue": lambda _: ("/queue?type=customer", "/queue?waiting=yes", f"/queue?source={ECHO}&low={ECHO}"),
    "/queue/bands/{band_id}": lambda it: (f"/queue/bands/{it.band}", f"/queue/bands/{ECHO}"),
    "/queue/sheet": lambda _: (),  # a workbook, which is downloaded: see the test of the sheet
    "/records/by-key": lambda it: (f"/records/by-key?key={quote(it.key, safe='')}", f"/records/by-key?key={ECHO}"),
    "/records/{golden_id}": lambda it: (
        *(f"/records/{one}" for one in (it.golden, it.other, it.merged)),
        f"/records/{it.golden}?version=2",
        f"/records/{ECHO}?as_of={ECHO}",
    ),
    "/records/{golden_id}/payload": lambda it: (f"/records/{it.golden}/payload?key={quote(it.key, safe='')}",),
    "/records/{golden_id}/pointing/{entity_type}": lambda it: tuple(
        f"/records/{it.golden}/pointing/{one}" for one in ("project", ECHO)
    ),
    "/records/{golden_id}/history": lambda it: (f"/records/{it.golden}/history",),
    "/records/{golden_id}/why": lambda it: tuple(f"/records/{it.golden}/why?with={one}" for one in (it.other, ECHO)),
    "/records/{golden_id}/do/{act}": lambda it: (
        f"/records/{it.golden}/do/merge?q=alert",
        f"/records/{it.golden}/do/merge?with={it.other}",
        *(f"/records/{it.golden}/do/{act}" for act in ("split", "take-out", "move", "retire")),
        f"/records/{it.golden}/do/{ECHO}?with={ECHO}&key={ECHO}",
    ),
    "/records/{golden_id}/undo/{event_id}": lambda it: tuple(
        f"/records/{it.merged}/undo/{it.merge}?how={how}" for how in ("unmerge", ECHO)
    ),
    "/records/{golden_id}/values/{attribute}": lambda it: (
        *(f"/records/{it.golden}/values/{one}" for one in ("trading_names", "street", ECHO)),
        f"/records/{it.golden}/values/legal_name?choice=typed&typed={ECHO}",
    ),
}


@pytest.fixture
def hostile(engine: Engine) -> Hostile:
    return hostile_hub(engine)


def faults_of(seen: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is on a page that no template wrote, and what is written where it cannot be seen."""
    yield from seen["faults"]
    for text in seen["texts"]:
        yield from (f"unseen U+{ord(letter):04X} in {text[:60]!r}" for letter in text if is_unseen(letter))
        if WORKED_OUT in text:
            yield f"a template was worked out in {text[:60]!r}"


def is_unseen(letter: str) -> bool:
    """Tell whether a letter has no picture of its own; blanks of templates and of numbers are none of a record's."""
    return letter not in "\n\t\r\u202f\u00a0" and unicodedata.category(letter) in {"Cc", "Cf", "Co", "Cs", "Zl", "Zp"}


class Tour:
    """Goes from page to page as one person, and gathers what is read and what is at fault."""

    def __init__(self, console: Console, page: Page) -> None:
        self.console, self.page = console, page
        self.read: list[str] = []
        self.faults: list[str] = []
        page.on("dialog", self._dialog)
        page.on("request", self._request)

    def visit(self, path: str) -> None:
        """Open a page and look at it."""
        answer = self.page.goto(self.console.url + path)
        if answer is None or answer.status >= 500:
            self.faults.append(f"{path}: it fails")
        self.look(path)

    def look(self, where: str) -> None:
        """Look at what is there now."""
        seen = self.page.evaluate(WATCH)
        self.faults += [f"{where}: {fault}" for fault in faults_of(seen)]
        self.read.append(squeezed(seen["whole"]))

    def _dialog(self, dialog: Dialog) -> None:
        self.faults.append(f"{self.page.url}: a script ran: {dialog.message}")
        dialog.dismiss()

    def _request(self, request: Request) -> None:
        if "pwned" in request.url.partition("?")[0]:
            self.faults.append(f"{self.page.url}: asks for {request.url}")


def squeezed(text: str) -> str:
    return re.sub(r"\s+", "", text)


def test_every_page_shows_hostile_texts_as_texts(console: Console, hostile: Hostile) -> None:
    pages = {path for method, path in ACCESS if method == "GET" and not NO_PAGES.fullmatch(path)}
    assert pages == PAGES.keys(), "every page is visited here: give a new one its addresses"
    tour = Tour(console, console.open(who="ada"))

    for addresses in PAGES.values():
        for path in addresses(hostile):
            tour.visit(path)
    for part in (
        read_all_names,
        type_into_the_palette,
        work_on_a_card,
        look_at_a_band,
        try_a_sheet,
        mend,
        add_a_person,
    ):
        part(tour, hostile)

    read = "".join(tour.read)
    unread = [one for one in PAYLOADS if squeezed(plain(one))[:40] not in read]
    assert not tour.faults, "\n".join(tour.faults[:60])
    assert not unread, "these payloads were on no page, so nothing is proved of them"


def read_all_names(tour: Tour, _: Hostile) -> None:
    """Leaf through all records: each payload is the name of one."""
    following: str | None = "/records"
    while following:
        tour.visit(following)
        link = tour.page.locator("a[rel=next]")
        following = link.get_attribute("href") if link.count() else None


def type_into_the_palette(tour: Tour, _: Hostile) -> None:
    tour.visit("/")
    tour.page.keyboard.press("Control+k")
    for typed in ("<script>alert", MARKUP[0]):
        tour.page.locator("#palette input").fill(typed)
        expect(tour.page.locator("#palette .found")).to_have_attribute("data-for", typed)
        tour.look("the palette")


def work_on_a_card(tour: Tour, hostile: Hostile) -> None:
    """Type a value, write a note, open the relations, and answer: the message names what was answered."""
    page = tour.page
    tour.visit(f"/review/{hostile.pair.id}")
    page.locator("#row-legal_name [data-edit]").click()
    page.locator("#typed").fill(MARKUP[9] + HIDDEN[0])
    page.locator("#typing .primary").click()
    expect(page.locator("#row-legal_name .result")).to_contain_text("alert(7)")
    tour.look("a value that was typed")
    page.keyboard.press("a")
    expect(page.locator("#colleagues option").first).to_be_attached()
    tour.look("colleagues")
    page.keyboard.press("Escape")
    page.keyboard.press("r")
    tour.look("relations")
    page.locator("#relations [data-pick]").first.click()
    expect(page.locator("#toast")).to_contain_text("Related")
    tour.look("an answered card")


def look_at_a_band(tour: Tour, _: Hostile) -> None:
    tour.visit("/queue?type=customer")
    tour.page.keyboard.press("b")
    tour.page.locator("#band [value=different]").check()
    tour.page.locator("#band-reason").fill(MARKUP[10] + HIDDEN[1])
    tour.page.keyboard.press("Enter")
    expect(tour.page.locator(".sample").first).to_be_visible()
    tour.look("a sample")


def try_a_sheet(tour: Tour, _: Hostile) -> None:
    """Send a workbook back whose name, answers and comments are payloads; it comes as a file, never as a page."""
    workbook = tour.page.request.get(f"{tour.console.url}/queue/sheet?type=customer")
    assert workbook.headers["content-disposition"].startswith("attachment; ")
    told = ("Keep apart", MARKUP[1], MARKUP[2])
    sheet = decided(
        workbook.body(), lambda row, _: {"Decision": told[row], "Comment": PAYLOADS[row]} if row < len(told) else {}
    )
    tour.visit("/queue")
    file = {"name": f"{MARKUP[9]}{HIDDEN[0]}.xlsx", "mimeType": "application/octet-stream", "buffer": sheet}
    tour.page.locator("#sheet-file").set_input_files(file)  # type: ignore[arg-type]
    tour.page.locator("#sheet-form .btn").click()
    expect(tour.page.locator("#sheet section")).to_contain_text(".xlsx", timeout=20_000)
    tour.look("a sheet")


def mend(tour: Tour, hostile: Hostile) -> None:
    tour.visit(f"/exceptions/{hostile.rejected}")
    tour.page.locator(".mend-field input").last.fill(MARKUP[3] + HIDDEN[2])
    tour.page.locator("#mend [data-key=t]").click()
    expect(tour.page.locator(".verdict")).to_contain_text("refused")
    tour.look("a mend that was tried")


def add_a_person(tour: Tour, _: Hostile) -> None:
    tour.visit("/people")
    tour.page.locator("#name").fill(MARKUP[9] + HIDDEN[0])
    tour.page.locator("#login").fill(MARKUP[0])
    tour.page.locator("#add [name=role]").first.check()
    tour.page.locator("#add .btn").click()
    expect(tour.page.get_by_role("alert")).to_be_visible()
    tour.look("a person who was refused")


PLANT: Final = """html => {
  const body = document.createElement("body");
  body.innerHTML = html;
  document.body.replaceWith(body);
}"""
CONTEXTS: Final = ("<p>{}</p>", '<p title="{}">x</p>', "<p title='{}'>x</p>", "<p title={}>x</p>", "<a href='{}'>x</a>")


def test_the_watch_sees_each_payload_that_is_not_escaped(browser: Browser) -> None:
    """Markup is noticed in at least one place where a template could put it, hidden letters in all."""
    page = browser.new_context().new_page()
    page.route("**/*", lambda route: route.abort() if "pwned" in route.request.url else route.continue_())
    missed = []
    for payload in (*MARKUP, *(one for one in HIDDEN if any(map(is_unseen, one)))):
        page.evaluate(PLANT, "".join(context.replace("{}", payload) for context in CONTEXTS))
        if not list(faults_of(page.evaluate(WATCH))):
            missed.append(payload)
    assert not missed
