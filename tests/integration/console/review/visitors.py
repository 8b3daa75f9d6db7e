"""Stewards on the review page over HTTP: what their forms send, and what a page tells them."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from typing import Any

from httpx2 import Response
from starlette.testclient import TestClient

HTMX = {"HX-Request": "true"}
_FIELD = re.compile(r'<input type="hidden" name="([^"]+)" value="([^"]*)">')


@dataclass
class Steward:
    """Somebody with a session of their own."""

    client: TestClient
    csrf: str = ""

    def get(self, path: str, **headers: str) -> Response:
        return self.client.get(path, headers=headers, follow_redirects=False)

    def post(
        self,
        path: str,
        fields: dict[str, Any] | None = None,
        *,
        part: bool = True,
        csrf: bool = True,
        held: str = "",
    ) -> Response:
        """Send a form as htmx does, or as a browser without scripts; `held` is the card that the page keeps ready."""
        headers = {**(HTMX if part else {}), **({"X-CSRF-Token": self.csrf} if csrf else {})}
        headers |= {"X-Held": held} if held else {}
        return self.client.post(path, data=fields or {}, headers=headers, follow_redirects=False)

    def fields(self, page: Response) -> dict[str, str]:
        """Read the hidden fields of the card on a page."""
        return {name: unescape(value) for name, value in _FIELD.findall(page.text)}


Visit = Callable[..., Steward]


def words(page: Response) -> str:
    """Give what a page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def asks(page: Response) -> str:
    """Name the review whose card a page shows, "" for none."""
    found = re.search(r'data-review="([^"]*)"', page.text)
    assert found is not None, page.text[:2000]
    return found[1]


def decide(mara: Steward, page: Response, verdict: str, **more: str) -> Response:
    return mara.post(f"/review/{asks(page)}/decide", {**mara.fields(page), "verdict": verdict, **more})
