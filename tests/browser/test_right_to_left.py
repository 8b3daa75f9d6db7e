"""The layout from right to left, and in either direction on a phone: nothing sticks out, no text lies on another.

No right-to-left language is in the catalogue yet; the direction is set on the page, as `Words.direction` would set it.
The hub is the hostile one: long words, odd letters and marks in every field.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Page
from sqlalchemy import Engine

from tests.browser.conftest import WIDE, Console
from tests.browser.hostile_hub import Hostile, hostile_hub

pytestmark = pytest.mark.browser

WATCH: Final = (Path(__file__).parent / "layout_watch.js").read_text()
PHONE: Final = {"width": 390, "height": 844}


def pages_of(hub: Hostile) -> tuple[str, ...]:
    """List every page that somebody opens, with something on it."""
    return (
        "/",
        "/me",
        f"/review/{hub.pair.id}",
        f"/review/{hub.cluster.id}",
        f"/review/{hub.waiting.id}",
        "/queue",
        "/queue?type=customer",
        f"/queue/bands/{hub.band}",
        "/records?q=alert",
        f"/records/{hub.golden}",
        f"/records/{hub.golden}/why?with={hub.other}",
        f"/records/{hub.golden}/do/merge?with={hub.other}",
        f"/records/{hub.golden}/do/split",
        f"/records/{hub.golden}/values/legal_name",
        "/exceptions",
        f"/exceptions/{hub.rejected}",
        "/activation",
        f"/activation/{hub.deals[0]}",
        "/targets",
        f"/targets/{hub.target}",
        "/rules?type=customer",
        "/people",
        f"/people/{hub.person}",
        "/records/cus_unknown",
    )


def faults_of(page: Page, url: str) -> Iterator[str]:
    """Open a page and yield what does not stand right, in either direction."""
    page.goto(url)
    for direction in ("rtl", "ltr"):
        page.evaluate(f"document.documentElement.dir = '{direction}'")
        page.evaluate("() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        yield from (f"{direction}: {fault}" for fault in page.evaluate(WATCH))


@pytest.mark.parametrize("size", [WIDE, PHONE], ids=["wide", "phone"])
def test_nothing_sticks_out_or_lies_on_another_from_right_to_left(
    console: Console, engine: Engine, size: dict[str, int]
) -> None:
    hub = hostile_hub(engine)
    page = console.open(who="ada", viewport=size)

    faults = [f"{path} {fault}" for path in pages_of(hub) for fault in faults_of(page, console.url + path)]

    assert not faults, "\n".join(faults)


def test_the_watch_sees_what_sticks_out_and_what_lies_on_another(console: Console) -> None:
    page = console.open("/me")
    page.evaluate(
        """() => {
        const main = document.querySelector("main");
        const texts = [["far", "far out"], ["one", "first words"], ["other", "other words"]];
        const made = ([id, text]) => Object.assign(document.createElement("p"), { id, textContent: text });
        main.append(...texts.map(made));
        const set = (id, styles) => Object.assign(document.getElementById(id).style, styles);
        set("far", { position: "absolute", left: "-30px" });
        set("other", { position: "relative", top: "-22px", width: "max-content" });
        }"""
    )

    seen = "\n".join(page.evaluate(WATCH))

    assert '"far out" sticks out' in seen
    assert 'lies on p.one "first words"' in seen
