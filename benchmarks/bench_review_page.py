"""The review page on many golden records: the server's time for a card, and how soon a key paints the next one.

`--golden` says how many golden records, two source records each; some hundred questions are asked along the real path,
as `bench_card.py` does. A real browser then answers card after card with a key; the clock runs in it from the key to
the second frame after the swap. On a machine that others use, the figures are too high.
"""

import argparse
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from statistics import median, quantiles

import uvicorn
from bench_card import ask
from fill import SOURCES, fill
from harness import Line, hub_home, show
from playwright.sync_api import Browser, Page, sync_playwright

from api.app import create_app
from mdm.access import people
from mdm.access.passwords import PasswordCost
from mdm.access.people_model import Standing
from mdm.db.migrate import upgrade
from mdm.db.provide import hub_database
from mdm.db.transaction import run
from mdm.hub import Hub, open_hub
from mdm.settings import Settings

PAGE_MS, PAINT_MS, PAGE_BYTES, REQUESTS = 15.0, 100.0, 160_000, 8
CARDS = 50
LOGIN, PASSWORD = "bench", "a bench in the sun"
CHROMIUM = os.environ.get("MDM_TEST_CHROMIUM", "/usr/bin/chromium")
# A key starts the clock; the second frame after the swap has surely been painted.
_CLOCK = """() => {
  window.painted = [];
  let since = 0;
  addEventListener("keydown", () => { since = performance.now(); }, true);
  document.addEventListener("htmx:after:swap", () => requestAnimationFrame(() => requestAnimationFrame(() => {
    if (since) painted.push(performance.now() - since);
    since = 0;
  })));
}"""


def add_person(hub: Hub, cost: PasswordCost) -> None:
    """Add the steward who answers."""

    def add(connection):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202 - the connection of a transaction
        person = people.add_person(connection, LOGIN, name="Bench", standing=Standing("steward"), by="bench")
        people.set_password(connection, person.id, PASSWORD, by="bench", cost=cost)

    run(hub.engine, add)


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Serve the hub from a thread of this process."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(create_app(settings), log_config=None, lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.05)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


def signed_in(browser: Browser, url: str) -> Page:
    """Open a window of somebody signed in."""
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.goto(f"{url}/sign-in")
    page.fill("#login", LOGIN)
    page.fill("#password", PASSWORD)
    page.keyboard.press("Enter")
    page.wait_for_url(f"{url}/")
    return page


def measured(page: Page, url: str, review_ids: list[str]) -> list[Line]:
    """Read cards one by one, weigh the page, then answer with a key."""
    walls = []
    for review_id in review_ids:
        started = time.perf_counter()
        page.request.get(f"{url}/review/{review_id}", headers={"HX-Request": "true"})
        walls.append((time.perf_counter() - started) * 1e3)
    sizes: dict[str, int] = {}
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send("Network.setCacheDisabled", {"cacheDisabled": True})
    session.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))
    page.goto(f"{url}/review", wait_until="networkidle")
    page.evaluate(_CLOCK)
    for number in range(CARDS):
        page.wait_for_timeout(300)
        page.keyboard.press("d" if number % 2 else "s")
    page.wait_for_timeout(1_000)
    painted = page.evaluate("window.painted")
    return [
        Line("card as a part of the page, median", median(walls[10:]), "ms"),
        Line("card as a part of the page, p95", quantiles(walls[10:], n=20)[-1], "ms", PAGE_MS),
        Line("next card painted after the key, median", median(painted), "ms", PAINT_MS),
        Line("cards answered by a key", len(painted), ""),
        Line("whole page, nothing cached", sum(sizes.values()), "bytes", PAGE_BYTES),
        Line("requests of it", len(sizes), "", REQUESTS),
    ]


def main() -> None:
    """Fill, ask, read, answer, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--golden", type=int, default=100_000)
    parser.add_argument("--reviews", type=int, default=200)
    options = parser.parse_args()
    if Settings().database_url:
        raise SystemExit("this would fill the database of MDM_DATABASE_URL with customers: unset it")
    with ExitStack() as stack:
        settings = Settings(home=stack.enter_context(hub_home()), pool_size=4)
        url = stack.enter_context(hub_database(settings))
        upgrade(url)
        with open_hub(settings, url) as hub:
            fill(hub, url, options.golden)
            review_ids = [str(review.id) for review in ask(hub, options.reviews)]
            add_person(hub, PasswordCost.of(settings))
        served_at = stack.enter_context(served(Settings(database_url=url, pool_size=4)))
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        lines = measured(signed_in(browser, served_at), served_at, review_ids)
        browser.close()
    show(f"Review page, {options.golden:,} golden records of {len(SOURCES)} records each", lines)


if __name__ == "__main__":
    main()
