"""The strict JSON gate: bytes in, values that the hub can store out, or a refusal that names the place.

The stock stack lets NaN become null, a lone surrogate or NUL fail inside PostgreSQL, a number lose its last digits and
a body fill the memory. Here: RFC 8259 only, UTF-8 only, no NUL, numbers up to 2^53, a bounded depth, a bounded size
counted while it streams (Content-Length can lie). Of equal keys in one object the last one counts, as in most parsers.
"""

import asyncio
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Final
from urllib.parse import unquote_plus, unquote_to_bytes

import orjson
from fastapi import Request

from api.errors import HttpRefusal, json_pointer
from mdm.errors import TooLarge

# JSON numbers beyond it lose digits in most programs: IEEE 754 doubles have 53 bits.
_NUMBER_MAX: Final = 2**53
# Chosen: as many as a batch has records. Whoever sends more is told of the first alone.
_INFINITE_COUNT_MAX: Final = 1_000
# What comes before a number that may be beyond a double, and that number, or the end of the text. It matches wherever
# the last one ended, and gives nothing back on the way, so its time grows with the length alone.
_MAYBE_INFINITE: Final = rb"-?[0-9]++(?:\.[0-9]++)?[eE]\+?[0-9]{2,}+|-?[0-9]{309,}+(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?"
_BEFORE_INFINITE: Final = (
    rb'"(?:[^"\\]|\\.)*+"?|[^"0-9-]++|(?!'
    + _MAYBE_INFINITE
    + rb")-?[0-9]++(?:\.[0-9]++)?(?:[eE][+-]?[0-9]++)?|-(?![0-9])"
)
_TO_INFINITE: Final = re.compile(
    rb"(?P<before>(?:" + _BEFORE_INFINITE + rb")*+)(?P<number>" + _MAYBE_INFINITE + rb"|\Z)", re.DOTALL
)
_HALF: Final = re.compile("[\ud800-\udfff]")
# Halves alone and those of whole characters alike; an escaped backslash is passed over.
_HALF_ESCAPED: Final = re.compile(rb"\\\\|\\u[dD][89a-fA-F][0-9a-fA-F]{2}")
# Chosen: a slow line sends 8 MB in it; a client that drips bytes holds one socket no longer.
_BODY_S_MAX: Final = 30.0
_KEY_SHOWN_MAX: Final = 80


class GatedRequest(Request):
    """A request whose body has passed the gate: FastAPI reads the checked value instead of parsing again."""

    def __init__(self, request: Request, raw: bytes, checked: Any) -> None:
        """Keep the bytes as sent and the value as checked."""
        super().__init__(request.scope, request.receive)
        self._raw = raw
        self.checked = checked

    async def body(self) -> bytes:
        """Return the body as sent."""
        return self._raw

    async def json(self) -> Any:
        """Return the body as checked."""
        return self.checked


@dataclass(frozen=True, slots=True)
class Parts:
    """The list in a document whose entries are refused each by itself, and how many there may be."""

    name: str
    count_max: int


async def admit(request: Request, *, bytes_max: int, depth_max: int, parts: Parts | None = None) -> GatedRequest:
    """Read, bound and check the body of a request; an empty body is None.

    parts  the list in it whose entries are refused each by itself, see `parse`
    """
    raw = await read_bounded(request, bytes_max)
    if not raw:
        return GatedRequest(request, raw, None)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HttpRefusal(
            415,
            "media_type_unsupported",
            f"the body is {media_type[:_KEY_SHOWN_MAX] or 'of no stated type'}",
            remedy="send JSON with Content-Type: application/json",
        )
    return GatedRequest(request, raw, parse(raw, depth_max=depth_max, parts=parts))


def parse(raw: bytes, *, depth_max: int, parts: Parts | None = None) -> Any:
    """Parse a JSON document; raises HttpRefusal 400 when it is not JSON, 422 when it holds what the hub cannot keep.

    Raises TooLarge where it has more parts than there may be.

    An escaped half of a character makes the document no JSON, but where it spoils one entry only.

    parts  the list in it whose entries spoil nothing but themselves: in the place of one that holds what the hub cannot
           keep stands its refusal, with the place inside of it
    """
    try:
        document = _loads(raw, with_halves=parts is not None)
    except orjson.JSONDecodeError as error:
        raise _unread(error, raw, depth_max) from error
    entries = document.get(parts.name) if parts is not None and isinstance(document, dict) else None
    if parts is None or not isinstance(entries, list):
        _check(document, depth_max)
        return document
    if len(entries) > parts.count_max:
        raise TooLarge(f"{len(entries)} {parts.name}, at most {parts.count_max} a call", remedy="send several calls")
    _check({**document, parts.name: []}, depth_max)
    return {**document, parts.name: [_checked(entry, depth_max) for entry in entries]}


def check_query(query: bytes, names: Sequence[str]) -> None:
    """Refuse a query parameter that the route does not know; one that is left unread would answer something else."""
    for part in query.split(b"&"):
        name = unquote_plus(part.partition(b"=")[0].decode("ascii", "replace"))
        if part and name not in names:
            near = get_close_matches(name, names, n=1)
            choice = f"choose one of {', '.join(names)}" if names else "leave it out; this route takes none"
            raise HttpRefusal(
                422,
                "request_invalid",
                f"there is no query parameter {name[:_KEY_SHOWN_MAX]!r}",
                remedy=f"did you mean {near[0]}?" if near else choice,
                place=f"query {name[:_KEY_SHOWN_MAX]}",
            )


def check_address(query: bytes, raw_path: bytes) -> None:
    """Refuse a path or query that does not decode to UTF-8 text without NUL; others would read as U+FFFD."""
    for name, encoded in (("query", query), ("path", raw_path)):
        if b"%" not in encoded:
            continue
        decoded = unquote_to_bytes(encoded)
        try:
            decoded.decode()
        except UnicodeDecodeError as error:
            remedy = "percent-encode the bytes of UTF-8"
            raise HttpRefusal(
                400, "address_malformed", f"the {name} is not UTF-8 text", remedy=remedy, place=name
            ) from error
        if b"\0" in decoded:
            problem = f"the {name} holds the NUL character"
            raise HttpRefusal(400, "address_malformed", problem, remedy="leave out %00", place=name)


async def read_bounded(request: Request, bytes_max: int) -> bytes:
    """Read a body as it streams in; raises TooLarge, and HttpRefusal 408 for one that drips.

    A length that is declared too large is believed at once, before a byte is read. The server drops what a client sends
    on after the refusal, so that one which sends everything before it reads gets the refusal too.
    """
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > bytes_max:
        raise _too_large(bytes_max)
    chunks: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(_BODY_S_MAX):
            async for chunk in request.stream():
                size += len(chunk)
                if size > bytes_max:
                    raise _too_large(bytes_max)
                chunks.append(chunk)
    except TimeoutError as error:
        raise HttpRefusal(
            408,
            "body_too_slow",
            f"the body did not arrive within {_BODY_S_MAX:.0f} s",
            remedy="send it again in smaller parts",
        ) from error
    return b"".join(chunks)


def _too_large(bytes_max: int) -> TooLarge:
    return TooLarge(
        f"the body is larger than the {bytes_max} bytes that this route takes", remedy="send it in several requests"
    )


def _loads(raw: bytes, *, with_halves: bool) -> Any:
    """Parse a document that may hold what is to be refused where it stands.

    Numbers that no double holds come as one that is too large; escaped halves of characters stay, where asked for.
    """
    try:
        return orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        fault = error
    if fault.msg.startswith("number is infinity"):
        raw = _TO_INFINITE.sub(_made_finite, raw, count=_INFINITE_COUNT_MAX)
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            fault = error
    if not with_halves or "surrogate in string" not in fault.msg:
        raise fault
    try:
        orjson.loads(_HALF_ESCAPED.sub(_made_whole, raw))
    except orjson.JSONDecodeError as error:  # what makes it no JSON, halves of characters aside
        if not error.msg.startswith("number is infinity"):
            raise
    try:
        return json.loads(raw, parse_int=_integer)
    except RecursionError:
        raise orjson.JSONDecodeError("depth limit", raw.decode(), 0) from None


def _made_whole(found: re.Match[bytes]) -> bytes:
    """Put a character in the place of half of one, as long as it was, so that places stay what they are."""
    return found[0] if found[0] == rb"\\" else rb"\u0041"


def _integer(digits: str) -> int | float:
    """Read an integer; one that is refused for its length anyway is not worth the time of reading it."""
    return int(digits) if len(digits) <= 20 else math.inf


def _made_finite(found: re.Match[bytes]) -> bytes:
    """Put a large number in the place of an infinite one, as long as it was, so that places stay what they are."""
    number = found["number"]
    if number and math.isinf(float(number)):
        return found["before"] + b"9e99".ljust(len(number))
    return found[0]


def _unread(error: orjson.JSONDecodeError, raw: bytes, depth_max: int) -> HttpRefusal:
    place = f"line {error.lineno} column {error.colno}"
    if error.msg.startswith("depth limit"):
        return _too_deep(depth_max, place)
    if error.msg.startswith("number is infinity"):
        return _number_too_large(place)
    try:
        raw.decode()
    except UnicodeDecodeError as broken:
        start = raw.rfind(b"\n", 0, broken.start) + 1
        line, column = raw.count(b"\n", 0, start) + 1, len(raw[start : broken.start].decode()) + 1
        return HttpRefusal(
            400,
            "json_malformed",
            f"the body is not UTF-8 text: byte 0x{raw[broken.start]:02X} cannot be read",
            remedy="send RFC 8259 JSON in UTF-8",
            place=f"line {line} column {column}",
        )
    return HttpRefusal(
        400,
        "json_malformed",
        f"the body is not JSON: {error.msg}",
        remedy="send RFC 8259 JSON in UTF-8; NaN, Infinity and lone surrogates are not JSON",
        place=place,
    )


def _checked(entry: Any, depth_max: int) -> Any:
    """Give an entry of a list in the document as it is, or its refusal."""
    try:
        _check(entry, depth_max, above=2)
    except HttpRefusal as refusal:
        return refusal
    return entry


def _check(document: Any, depth_max: int, *, above: int = 0) -> None:
    """Walk the document once, level by level; paths are only rebuilt (`_locate`) when something is wrong.

    above  levels that it lies below the body
    """
    level: list[Any] = [document]
    for _ in range(depth_max + 1 - above):
        below: list[Any] = []
        for value in level:
            kind = type(value)
            if kind is str:
                if not _is_sound(value):
                    raise _refuse_text(document, value)
            elif kind is dict:
                for key in value:
                    if not _is_sound(key):
                        raise _refuse_text(document, key)
                below.extend(value.values())
            elif kind is list:
                below.extend(value)
            elif (kind is int or kind is float) and not -_NUMBER_MAX <= value <= _NUMBER_MAX:
                raise _number_too_large(_locate(document, value))
        if not below:
            return
        level = below
    raise _too_deep(depth_max, _deepest(document, depth_max - above))


def _is_sound(text: str) -> bool:
    return "\0" not in text and (text.isascii() or not _HALF.search(text))


def _refuse_text(document: Any, text: str) -> HttpRefusal:
    half = _HALF.search(text)
    code = "nul_character" if half is None else "lone_surrogate"
    what = "U+0000" if half is None else f"U+{ord(half[0]):04X}, which is half of one"
    return HttpRefusal(
        422,
        code,
        f"a text holds the character {what}",
        remedy="remove it; no system can store it",
        place=_locate(document, text),
    )


def _number_too_large(place: str) -> HttpRefusal:
    return HttpRefusal(
        422,
        "number_too_large",
        "a number beyond 2^53 would lose digits",
        remedy="send identifiers and long numbers as strings",
        place=place,
    )


def _too_deep(depth_max: int, place: str) -> HttpRefusal:
    return HttpRefusal(
        422,
        "json_too_deep",
        f"the document nests deeper than {depth_max} levels",
        remedy="send a flatter document",
        place=place,
    )


def _locate(document: Any, wanted: Any) -> str:
    """Find the JSON pointer of the very object that was refused (or of the object whose key it is)."""
    stack: list[tuple[Any, tuple[int | str, ...]]] = [(document, ())]
    while stack:
        value, path = stack.pop()
        if value is wanted:
            return _shown(json_pointer(path))
        if isinstance(value, dict):
            if any(key is wanted for key in value):
                return _shown(json_pointer((*path, str(wanted)[:_KEY_SHOWN_MAX])))
            stack.extend((child, (*path, key)) for key, child in reversed(value.items()))
        elif isinstance(value, list):
            stack.extend((child, (*path, position)) for position, child in reversed(list(enumerate(value))))
    return ""


def _shown(pointer: str) -> str:
    """Write what no answer can hold by its escape."""
    return pointer.replace("\0", "\\u0000").encode("utf-8", "backslashreplace").decode()


def _deepest(document: Any, depth_max: int) -> str:
    """Follow the nesting down to the first place below the bound."""
    stack: list[tuple[Any, tuple[int | str, ...]]] = [(document, ())]
    while stack:
        value, path = stack.pop()
        if len(path) > depth_max:
            return json_pointer(path)
        if isinstance(value, dict):
            stack.extend((child, (*path, key)) for key, child in value.items())
        elif isinstance(value, list):
            stack.extend((child, (*path, position)) for position, child in enumerate(value))
    return ""
