"""Takes the pictures of docs/images from a console that serves the demo firm, in light and dark.

    MDM_HOME=/tmp/demo mdm demo --no-serve && MDM_HOME=/tmp/demo mdm serve --port 8899
    python docs/take_images.py http://127.0.0.1:8899 LOGIN PASSWORD

Look at each of them afterwards. Those of an answer that waits for a second person and of targets are taken by hand,
since the demo firm has none of both.
"""

import argparse
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from playwright.sync_api import Page, sync_playwright

FOLDER: Final = Path(__file__).parent / "images"
WIDE: Final = {"width": 1440, "height": 900}
PHONE: Final = {"width": 390, "height": 844}
FLAGS: Final = ["--no-sandbox", "--disable-gpu", "--no-first-run"]


def _palette(page: Page) -> None:
    page.keyboard.press("Control+k")
    page.locator("#palette input").fill("wesvaunt")
    page.wait_for_timeout(600)


def _record(page: Page) -> None:
    page.goto(page.url.rpartition("/")[0] + "/records?q=wesvaunt")
    page.locator("main a[href^='/records/cus_']").first.click()
    page.wait_for_load_state("networkidle")


PAGES: Final[tuple[tuple[str, str, Callable[[Page], None] | None], ...]] = (
    ("home", "/", None),
    ("review", "/review", None),
    ("queue", "/queue?type=customer", None),
    ("records", "/records?q=wesvaunt", None),
    ("record", "/records", _record),
    ("palette", "/review", _palette),
    ("exceptions", "/exceptions", None),
    ("people", "/people", None),
    ("settings", "/me", None),
    ("rules", "/rules?type=customer", None),
)


def main() -> None:
    """Sign in and take every picture."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("url")
    parser.add_argument("login")
    parser.add_argument("password")
    parser.add_argument("--into", type=Path, default=FOLDER)
    options = parser.parse_args()
    with sync_playwright() as playwright:
        chromium = os.environ.get("MDM_TEST_CHROMIUM", "/usr/bin/chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_context(viewport=WIDE).new_page()
        page.goto(f"{options.url}/sign-in")
        _take(page, options.into, "sign-in")
        page.fill("#login", options.login)
        page.fill("#password", options.password)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{options.url}/")
        for name, path, act in PAGES:
            page.goto(options.url + path, wait_until="networkidle")
            if act is not None:
                act(page)
            _take(page, options.into, name)
        page.set_viewport_size(PHONE)
        page.goto(f"{options.url}/review", wait_until="networkidle")
        _take(page, options.into, "review-phone")
        browser.close()


def _take(page: Page, folder: Path, name: str) -> None:
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # type: ignore[arg-type]
        page.wait_for_timeout(200)
        page.screenshot(path=str(folder / f"{name}-{scheme}.png"))


if __name__ == "__main__":
    main()
