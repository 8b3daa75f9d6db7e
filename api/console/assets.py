"""Style, script, font and icon of the console: read once, compressed once, served under an address that names them.

The address holds a digest of all of them, so a browser keeps them for ever and asks again only after an upgrade. Files
from elsewhere: htmx 4.0.1 (0BSD) and the variable font Inter 5.3 (OFL 1.1), their licences beside them.
"""

import gzip
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, Request, Response

from api.errors import HttpRefusal
from api.route import HubRoute

_FOLDER: Final = files("api.console") / "static"
_MEDIA_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
    "txt": "text/plain; charset=utf-8",
    "woff2": "font/woff2",
}
# Every page needs all of them: one request in place of two. The first line of hub.js makes all of frame.js strict.
_TOGETHER: Final = {"frame.css": ("hub.css", "parts.css"), "frame.js": ("hub.js", "htmx-4.0.1.min.js")}
_FOR_EVER: Final = "public, max-age=31536000, immutable"

router: Final = APIRouter(route_class=HubRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Asset:
    """One file, as it is and compressed; a font is compressed already."""

    media_type: str
    plain: bytes
    compressed: bytes | None


def _read() -> Mapping[str, Asset]:
    found = {}
    for file in sorted(_FOLDER.iterdir(), key=lambda each: each.name):
        ending = file.name.rpartition(".")[2]
        if ending in _MEDIA_TYPES:
            plain = file.read_bytes()
            compressed = None if ending == "woff2" else gzip.compress(plain, 9, mtime=0)
            found[file.name] = Asset(_MEDIA_TYPES[ending], plain, compressed)
    for name, parts in _TOGETHER.items():
        plain = b"\n".join(found[part].plain for part in parts)
        found[name] = Asset(_MEDIA_TYPES[name.rpartition(".")[2]], plain, gzip.compress(plain, 9, mtime=0))
    return found


ASSETS: Final = _read()
DIGEST: Final = sha256(b"".join(asset.plain for asset in ASSETS.values())).hexdigest()[:16]


def asset_url(name: str) -> str:
    """Return the address of an asset; a name that is not there is a KeyError."""
    assert name in ASSETS, f"{name} is no file of api/console/static"
    return f"/static/{DIGEST}/{name}"


@router.get("/static/{digest}/{name}")
async def asset(digest: str, name: str, request: Request) -> Response:
    """Serve an asset; under another digest it is served too, but not kept."""
    if name not in ASSETS:
        raise HttpRefusal(404, "route_unknown", f"{request.url.path[:200]} is not served.", remedy="open /")
    found = ASSETS[name]
    headers = {"cache-control": _FOR_EVER if digest == DIGEST else "no-cache", "vary": "accept-encoding"}
    if found.compressed is not None and "gzip" in request.headers.get("accept-encoding", ""):
        return Response(found.compressed, media_type=found.media_type, headers={**headers, "content-encoding": "gzip"})
    return Response(found.plain, media_type=found.media_type, headers=headers)
