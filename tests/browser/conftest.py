"""A console served by the real web server on this worker's database, and a browser to look at it.

Every page that a test opens is watched: a request that leaves this machine, a script that the policy stopped, or an
error in the page's own script fails the test.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, sync_playwright
from sqlalchemy import Engine

from api.app import create_app
from mdm.access.people_model import Role
from mdm.settings import Settings
from tests.people import PASSWORD, add_person

Accessible = Callable[[Page], None]

CHROMIUM = os.environ.get("MDM_TEST_CHROMIUM", "/usr/bin/chromium")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
TEAM: tuple[tuple[str, Role], ...] = (("mara", "lead"), ("sam", "steward"), ("vera", "viewer"), ("ada", "admin"))
WIDE = {"width": 1440, "height": 900}


@dataclass
class Console:
    """A running console, the browser that looks at it, and what went wrong on the way."""

    url: str
    browser: Browser
    faults: list[str] = field(default_factory=list)

    def open(self, path: str = "/", *, who: str | None = "mara", **context: Any) -> Page:
        """Open a page in a browser window of its own, signed in as somebody unless `who` is None."""
        page = self.browser.new_context(viewport=context.pop("viewport", WIDE), **context).new_page()
        page.set_default_timeout(10_000)
        page.on("request", self._watch)
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        page.on("console", lambda message: self._listen(message.type, message.text))
        if who is not None:
            page.goto(f"{self.url}/sign-in")
            page.fill("#login", who)
            page.fill("#password", PASSWORD)
            page.keyboard.press("Enter")
            page.wait_for_url(f"{self.url}/")
        page.goto(self.url + path)
        return page

    def _watch(self, request: Request) -> None:
        if not request.url.startswith((self.url, "data:")):
            self.faults.append(f"asks elsewhere: {request.url}")

    def _listen(self, kind: str, text: str) -> None:
        if kind == "error" and "Failed to load resource" not in text:
            self.faults.append(text)


@pytest.fixture(
    scope="package"
)  # while it is open its event loop counts as running: no test after it could use its own
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.fail(
            f"no Chromium at {CHROMIUM}: install it (Debian: apt-get install chromium) or set MDM_TEST_CHROMIUM"
        )
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture
def console(browser: Browser, engine: Engine, database_url: str) -> Iterator[Console]:
    """Serve the console; mara is a lead, sam a steward, vera a viewer, ada an administrator."""
    with ExitStack() as held:
        url = held.enter_context(
            served(Settings(database_url=database_url, pool_size=4, password_memory_kib=8, password_passes=1))
        )
        found = Console(url, browser)
        for login, role in TEAM:
            add_person(engine, login, role)
        yield found
        for context in browser.contexts:
            context.close()
        assert not found.faults, found.faults


class _Quiet(uvicorn.Server):
    """A server in a thread, which leaves the signals of the process alone."""

    def install_signal_handlers(self) -> None:
        """Leave them."""


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Run the real web server on a free port of this machine for the length of a `with` block."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = _Quiet(uvicorn.Config(create_app(settings), log_config=None, lifespan="on"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        assert server.started, "the server did not start"
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


@pytest.fixture
def accessible() -> Accessible:
    """Give a function that asserts a page has no fault of WCAG 2.2 AA, as axe sees it, in light and dark."""

    def check(page: Page) -> None:
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            results = Axe().run(
                page,
                options={"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]},
            )
            assert results.violations_count == 0, f"{page.url} ({scheme})\n{results.generate_report()}"

    return check
