"""JSONL and NDJSON, one object a line, read as strictly as the HTTP gate: what has two meanings is refused.

Refused, line by line, are NaN and Infinity, integers beyond 2^53, NUL, halves of characters, a key given twice and
nesting past the bound. Numbers become their text as written, so that no digit is lost; null becomes "".
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

from mdm.errors import FileUnreadable
from mdm.sources.files_faults import INTEGER_MAX, FileFault, OnFault, fault, guessed, integer_fault, text_faults
from mdm.sources.files_text import bounded_lines, inspect_text, line_fault

DEPTH_MAX: Final = 32  # the bound of the HTTP gate

_MARKS: Final = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]')


class _Refused(ValueError):
    """A construct that is JSON, or nearly, and has no one meaning."""

    def __init__(self, code: str, reason: str, remedy: str) -> None:
        super().__init__(reason)
        self.code, self.reason, self.remedy = code, reason, remedy


class _Integer(str):
    """The digits of an integer, still to be judged under its column's name."""

    __slots__ = ()


def read_jsonl(
    path: Path, *, encoding: str | None, on_note: OnFault
) -> Iterator[tuple[int, dict[str, Any] | FileFault]]:
    """Read one object a line, each under its line number; blank lines are passed over."""
    file = inspect_text(path, encoding, has_header=False)
    if file.lines_guessed:
        on_note(guessed(path, file.lines_guessed))
    is_first = True
    with file.open() as stream:
        for number, line in enumerate(bounded_lines(stream), start=1):
            if line is None:
                is_first = False
                yield number, line_fault(path, number)
                continue
            text = line.strip()
            if not text:
                continue
            if is_first and (text in ("[", "{") or text.startswith("[")):
                reason = "is one JSON document, not one object a line"
                raise FileUnreadable(str(path), reason, remedy="convert it, for example with: jq -c '.[]'")
            is_first = False
            for found in _read_line(path, number, text):
                yield number, found


def _read_line(path: Path, number: int, text: str) -> Iterator[dict[str, Any] | FileFault]:
    if _depth(text) > DEPTH_MAX:
        reason = f"is nested deeper than {DEPTH_MAX} levels"
        yield fault(path, number, "", "too_deep", reason, "send flat records")
        return
    try:
        record = _DECODER.decode(text)
    except _Refused as refused:
        yield fault(path, number, "", refused.code, refused.reason, refused.remedy)
        return
    except json.JSONDecodeError as error:
        reason = f"is not JSON: {error.msg} at character {error.pos + 1}"
        yield fault(path, number, "", "not_json", reason, "write one JSON object on each line")
        return
    if not isinstance(record, dict):
        reason = "is JSON, but not an object"
        yield fault(path, number, "", "not_an_object", reason, 'write each record as {"column": "value"}')
        return
    faults = [
        integer_fault(path, number, column, digits)
        for column, value in record.items()
        for digits in _integers(value)
        if len(digits) > 17 or abs(int(digits)) > INTEGER_MAX
    ]
    faults += text_faults(path, number, record)
    if faults:
        yield from faults
    else:
        yield {column: _plain(value) for column, value in record.items()}


def _depth(text: str) -> int:
    """Count the levels of nesting without parsing."""
    if text.count("[") + text.count("{") <= DEPTH_MAX:
        return 0
    depth = deepest = 0
    for mark in _MARKS.finditer(text):
        if mark[0] in ("[", "{"):
            depth += 1
            deepest = max(deepest, depth)
        elif mark[0] in ("]", "}"):
            depth -= 1
    return deepest


def _integers(value: Any) -> Iterator[str]:
    if isinstance(value, _Integer):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _integers(part)
    elif isinstance(value, list):
        for part in value:
            yield from _integers(part)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return value
    if isinstance(value, dict):
        return {key: _plain(part) for key, part in value.items()}
    return [_plain(part) for part in value]


def _refuse_constant(constant: str) -> NoReturn:
    raise _Refused("not_a_number", f"holds {constant}, which is no JSON value", "leave the value out, or write null")


def _refuse_doubled(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        doubled = next(key for key, count in Counter(key for key, _ in pairs).items() if count > 1)
        raise _Refused("duplicate_key", f"gives {doubled[:100]!r} twice", "give each column once")
    return record


_DECODER: Final = json.JSONDecoder(
    parse_int=_Integer, parse_float=str, parse_constant=_refuse_constant, object_pairs_hook=_refuse_doubled
)
