"""The review page on many golden records: what a card takes of the server, and how soon a key paints the next one.

`--golden` says how many golden records, two source records each; some hundred questions are asked along the real path
(`filled.py`). A real server process is read card by card; its time is what its own log says of each request, and the
processor time of its threads and of PostgreSQL's sessions is told apart. A real browser then answers card after card;
the clock runs in it from the key to the second frame after the card is in place. A card that the page kept ready is
painted with the key, and takes an answer once the hub has said that it stands: both are told. `--against` names another
checkout that takes turns with this one. On a machine that others use, only processor time is to be trusted.
"""

import argparse
import http.client
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Final

from fill import SOURCES
from filled import LOGIN, PASSWORD, ask, filled_hub
from harness import MDM, START_S_MAX, Line, answers, show
from playwright.sync_api import Page, sync_playwright
from sqlalchemy import Engine, text

from mdm.access import sessions
from mdm.hub import Hub

PAGE_MS, PAINT_MS, PAGE_BYTES, REQUESTS = 15.0, 100.0, 160_000, 8
BATCH: Final = 20  # cards that one server shows before it is the other's turn
KEYS: Final = 50
ROUTES_BY_KEY: Final = {"s": "POST /review/{review_id}/skip"}
DECIDE: Final = "POST /review/{review_id}/decide"
PAINT_S_MAX: Final = 30.0
PAGES: Final = {
    "card as a part": "GET /review/{review_id}",
    "whole page": "GET /review",
    "Home": "GET /",
    "Records": "GET /records",
}
HERE: Final = Path(__file__).parents[1]
CHROMIUM: Final = os.environ.get("MDM_TEST_CHROMIUM", "/usr/bin/chromium")
# A key starts the clock; the second frame after the card was put in place has surely been painted.
_CLOCK: Final = """() => {
  window.painted = [];
  window.ready = [];
  let since = 0;
  addEventListener("keydown", () => { since = performance.now(); }, true);
  const note = (list, began) => requestAnimationFrame(() => requestAnimationFrame(() => {
    list.push(performance.now() - began);
  }));
  document.addEventListener("early", () => note(painted, since));
  document.addEventListener("htmx:after:swap", () => {
    if (!since) return;
    if (painted.length === ready.length) note(painted, since);
    note(ready, since);
    since = 0;
  });
}"""


@dataclass
class Server:
    """A running server of one checkout, and what its requests took, by the name of the page."""

    name: str
    child: subprocess.Popen[str]
    address: str
    said: Path
    cookie: str
    own_ms: dict[str, float] = field(default_factory=dict)
    database_ms: dict[str, float] = field(default_factory=dict)
    asked: dict[str, int] = field(default_factory=dict)

    def get(self, path: str, *, is_part: bool) -> None:
        """Ask for a page, on a connection of its own as a proxy might."""
        connection = http.client.HTTPConnection(self.address, timeout=60)
        headers = {"Cookie": self.cookie} | ({"HX-Request": "true"} if is_part else {})
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (path, answer.status, body[:300])
        connection.close()

    def cpu_ms(self) -> float:
        """Read the milliseconds of processor time that all threads of the server have used."""
        return sum(_ran_ms(task) for task in Path(f"/proc/{self.child.pid}/task").iterdir())

    def taken_ms(self, route: str) -> list[float]:
        """Read from the log how long the requests of a route took, in their order."""
        lines = self.said.read_text(encoding="utf-8").splitlines()
        logged = [json.loads(line) for line in lines if line.startswith("{")]
        return [line["seconds"] * 1e3 for line in logged if line.get("route") == route]


@contextmanager
def served(code: Path, home: Path, folder: Path, cookie: str) -> Iterator[Server]:
    """Serve the hub of a home from a checkout of the code, as a process of its own."""
    said = folder / f"{code.name}.log"
    environment = {**os.environ, "MDM_HOME": str(home), "PYTHONPATH": str(code)}
    with said.open("w", encoding="utf-8") as file:
        child = subprocess.Popen(
            [*MDM, "serve", "--port", "0", "--no-worker"], cwd=code, env=environment, stderr=file, text=True
        )
    try:
        deadline = time.monotonic() + START_S_MAX
        while not (told := re.search(r"http://([\d.]+:\d+)", said.read_text(encoding="utf-8"))) or not answers(told[1]):
            if time.monotonic() > deadline or child.poll() is not None:
                raise SystemExit(f"the server did not start:\n{said.read_text(encoding='utf-8')}")
            time.sleep(0.05)
        yield Server(code.name, child, told[1], said, cookie)
    finally:
        child.send_signal(signal.SIGTERM)
        child.wait(START_S_MAX)


def read_in_turn(servers: Sequence[Server], engine: Engine, review_ids: Sequence[str], rounds: int) -> None:
    """Read every page from each server, a batch at a time, and note whose processor time it took."""
    for number in range(rounds):
        for page in PAGES:
            for server in servers if number % 2 else servers[::-1]:
                own, database = server.cpu_ms(), _database_ms(engine)
                for place in range(number * BATCH, number * BATCH + BATCH):
                    review_id = review_ids[place % len(review_ids)]
                    left = review_ids[(place - 1) % len(review_ids)]
                    path = f"/review/{review_id}?leaving={left}" if page == "card as a part" else PAGES[page][4:]
                    server.get(path, is_part=page == "card as a part")
                if number:  # the first round warms up
                    server.own_ms[page] = server.own_ms.get(page, 0.0) + server.cpu_ms() - own
                    server.database_ms[page] = server.database_ms.get(page, 0.0) + _database_ms(engine) - database
                    server.asked[page] = server.asked.get(page, 0) + BATCH


def lines_of(server: Server) -> list[Line]:
    """Tell what the pages of a server took."""
    lines = []
    for page, route in PAGES.items():
        taken, budget = server.taken_ms(route)[BATCH:], PAGE_MS if "review" in route else None
        lines += [
            Line(f"{page}, median", median(taken), "ms"),
            Line(f"{page}, p95", quantiles(taken, n=20)[-1], "ms", budget),
            Line(f"{page}, processor time of the server", server.own_ms[page] / server.asked[page], "ms"),
            Line(f"{page}, processor time of PostgreSQL", server.database_ms[page] / server.asked[page], "ms"),
        ]
    return lines


def answered(page: Page, server: Server, key: str, *, keys: int, read_ms: int) -> list[Line]:
    """Weigh the page, then answer card after card with a key, each after it was read for so long."""
    sizes: dict[str, int] = {}
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.setCacheDisabled", {"cacheDisabled": True})
    devtools.on("Network.loadingFinished", lambda event: sizes.update({event["requestId"]: event["encodedDataLength"]}))
    page.goto(f"http://{server.address}/review", wait_until="networkidle")
    weight, requests = sum(sizes.values()), len(sizes)
    page.evaluate(_CLOCK)
    shown: list[str] = []
    page.on("response", lambda answer: shown.append(answer.headers.get("x-shown", "")))
    own, route = server.cpu_ms(), ROUTES_BY_KEY.get(key, DECIDE)
    for number in range(keys):
        page.wait_for_timeout(read_ms)
        page.keyboard.press(key)
        deadline = time.monotonic() + PAINT_S_MAX
        while page.evaluate("Math.min(painted.length, ready.length)") <= number:
            assert time.monotonic() < deadline, f"key {number + 1} of {keys} brought no card"
            page.wait_for_timeout(10)
    painted, ready = page.evaluate("window.painted"), page.evaluate("window.ready")
    return [
        Line(f"next card painted after {key.upper()}, median of {keys}", median(painted), "ms", PAINT_MS),
        Line(f"next card painted after {key.upper()}, p95", quantiles(painted, n=20)[-1], "ms"),
        Line("it takes an answer after, median", median(ready), "ms"),
        Line("cards of them that the page kept ready", shown.count("held"), ""),
        Line("of it in the server, median", median(server.taken_ms(route)[-keys:]), "ms"),
        Line("processor time of the server", (server.cpu_ms() - own) / keys, "ms"),
        Line("whole page, nothing cached", weight, "bytes", PAGE_BYTES),
        Line("requests of it", requests, "", REQUESTS),
    ]


def _paint(servers: Sequence[Server], hub: Hub, keys: str, *, read_ms: int) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for server in servers:
            for key in keys:
                ask(hub, 2 * KEYS)
                context = browser.new_context(viewport={"width": 1440, "height": 900})
                name, _, token = server.cookie.partition("=")
                context.add_cookies([{"name": name, "value": token, "url": f"http://{server.address}"}])
                show(f"Keys, {server.name}", answered(context.new_page(), server, key, keys=KEYS, read_ms=read_ms))
                context.close()
        browser.close()


def _ran_ms(folder: Path) -> float:
    return int((folder / "schedstat").read_text(encoding="ascii").split()[0]) / 1e6


def _database_ms(engine: Engine) -> float:
    """Add up the processor time of all sessions but the one that asks."""
    asked = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    with engine.connect() as connection:
        pids = connection.execute(text(asked)).scalars().all()
    return sum(_ran_ms(Path(f"/proc/{pid}")) for pid in pids)


def main() -> None:
    """Fill, ask, read, answer, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--golden", type=int, default=100_000)
    parser.add_argument("--reviews", type=int, default=300)
    parser.add_argument("--rounds", type=int, default=16, help=f"batches of {BATCH} of each page; the first warms up")
    parser.add_argument("--keys", default="ds", help="keys that are timed in the browser: m, d, n, s; none with ''")
    # Nobody decides faster, and a key in the first quarter of a second is not for the card.
    parser.add_argument("--read-ms", type=int, default=400, help="how long each card is read before the key")
    parser.add_argument("--home", type=Path, help="keep the hub here, and use what is there")
    parser.add_argument("--against", type=Path, help="another checkout, which takes turns")
    options = parser.parse_args()
    with ExitStack() as held:
        hub, _ = held.enter_context(filled_hub(options.golden, home=options.home))
        review_ids = [str(review.id) for review in ask(hub, options.reviews)]
        session = sessions.sign_in(hub.engine, LOGIN, PASSWORD, address="127.0.0.1")
        folder = Path(held.enter_context(TemporaryDirectory(prefix="mdm-bench-")))
        checkouts = [HERE, *([options.against.resolve()] if options.against else [])]
        cookie = f"mdm_session={session.token}"
        servers = [held.enter_context(served(code, hub.settings.home, folder, cookie)) for code in checkouts]
        read_in_turn(servers, hub.engine, review_ids, options.rounds)
        for server in servers:
            title = f"Pages of {server.name}, {options.golden:,} golden records of {len(SOURCES)} records each"
            show(title, lines_of(server))
        _paint(servers, hub, options.keys, read_ms=options.read_ms)


if __name__ == "__main__":
    main()
