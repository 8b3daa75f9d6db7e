"""The JSON gate against the hostile corpus: each line is refused with its status, code and place, or taken unharmed."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from fastapi import Request

from api import gate
from api.errors import HttpRefusal
from mdm.errors import TooLarge

DEPTH = 32
ROWS = gate.Parts("rows", 100)


def refusal(raw: bytes) -> tuple[int, str, str | None]:
    with pytest.raises(HttpRefusal) as caught:
        gate.parse(raw, depth_max=DEPTH)
    assert caught.value.remedy
    return caught.value.status, caught.value.code, caught.value.place


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b'{"a": NaN}', "line 1 column 7"),
        (b'{"a": Infinity}', "line 1 column 7"),
        (b'{"a": -Infinity}', "line 1 column 8"),
        (b'{"a": 1e400, "b": NaN}', "line 1 column 19"),
        (b'{"a": 01e400}', "line 1 column 7"),
        (b'{"a": "\\ud800"}', "line 1 column 8"),
        (b'{"a":\n "raw \x00"}', "line 2 column 7"),
        (b'{"a": 1} trailing', "line 1 column 10"),
        (b'{"a": 1', "line 1 column 8"),
        (b"\xef\xbb\xbf{}", "line 1 column 1"),
        (b'{"a": "\xff"}', "line 1 column 8"),
        (b'{"\xc3\xa9": 1,\n"a": "\xc3\xa9\xff"}', "line 2 column 8"),
        (b"\x89PNG\r\n\x1a\n", "line 1 column 1"),
        (b"{'a': 1}", "line 1 column 2"),
    ],
)
def test_what_is_not_json_is_malformed_and_the_place_is_named(raw: bytes, place: str) -> None:
    assert refusal(raw) == (400, "json_malformed", place)


@pytest.mark.parametrize(
    ("raw", "place"),
    [
        (b'{"a": "x\\u0000y"}', "/a"),
        (b'{"records": [{"fields": {"name": "ok"}}, {"fields": {"name": "\\u0000"}}]}', "/records/1/fields/name"),
        (b'{"a/b~c": ["\\u0000!"]}', "/a~1b~0c/0"),
        (b'{"k\\u0000": 1}', "/k\\u0000"),
        (b'"alone\\u0000"', ""),
    ],
)
def test_nul_in_a_text_or_name_is_refused_with_its_pointer(raw: bytes, place: str) -> None:
    assert refusal(raw) == (422, "nul_character", place)


def test_entries_that_are_refused_alone_stand_as_their_refusals_and_the_others_as_they_are() -> None:
    deep = b"[" * (DEPTH - 2) + b"]" * (DEPTH - 2)
    raw = b'{"rows": [{"a": "\\u0000"}, {"a": 1}, {"n": [1, 9007199254740993]}, {"d": %b}, {"d": [%b]}]}' % (deep, deep)

    nul, kept, large, allowed, nested = gate.parse(raw, depth_max=DEPTH, parts=ROWS)["rows"]

    assert kept == {"a": 1}
    assert isinstance(allowed, dict)
    assert [(one.code, one.place) for one in (nul, large)] == [("nul_character", "/a"), ("number_too_large", "/n/1")]
    assert (nested.code, nested.place[:4]) == ("json_too_deep", "/d/0")


def test_more_entries_than_there_may_be_are_not_looked_at() -> None:
    with pytest.raises(TooLarge, match="101 rows, at most 100 a call"):
        gate.parse(b'{"rows": [%b]}' % b",".join([b'"\\u0000"'] * 101), depth_max=DEPTH, parts=ROWS)


def test_half_a_character_spoils_its_own_entry_only() -> None:
    raw = (
        b'{"rows": [{"a": "\\ud800"}, {"a": "\\ud83d\\ude00 \xc3\xa9"}, {"x\\udc00": 1}, {"a": 1e400}, {"a": %b},'
        b' {"a": 7, "a": [1.5, 8]}]}' % (b"9" * 5_000)
    )

    half, whole, key, infinite, large, last = gate.parse(raw, depth_max=DEPTH, parts=ROWS)["rows"]

    assert (whole, last) == ({"a": "\U0001f600 é"}, {"a": [1.5, 8]})
    assert [(one.code, one.place) for one in (half, key)] == [
        ("lone_surrogate", "/a"),
        ("lone_surrogate", "/x\\udc00"),
    ]
    assert [one.code for one in (infinite, large)] == ["number_too_large"] * 2


@pytest.mark.parametrize(
    ("beside", "status", "place"),
    [
        (b"NaN", 400, "line 1 column 28"),
        (b'"raw \x01"', 400, "line 1 column 33"),
        (b"01", 400, "line 1 column 28"),
        (b'{"c": 1,}', 400, "line 1 column 35"),
        (b'"\\\\ud800" "\\ud800"', 400, "line 1 column 38"),
        (b"[" * 100_000, 422, "line 1 column 1051"),
        (b"[" * 1_010 + b"]" * 1_010, 422, "line 1 column 1"),
    ],
)
def test_a_body_with_half_a_character_is_refused_for_what_else_makes_it_no_json(
    beside: bytes, status: int, place: str
) -> None:
    raw = b'{"rows": [{"a": "\\ud800"}, %b]}' % beside
    with pytest.raises(HttpRefusal) as caught:
        gate.parse(raw, depth_max=DEPTH, parts=ROWS)
    assert (caught.value.status, caught.value.place) == (status, place)


def test_what_stands_beside_such_entries_is_refused_as_ever() -> None:
    for raw in (b'{"rows": [], "x\\u0000": 1}', b'{"rows": "\\u0000"}', b'["\\u0000"]'):
        with pytest.raises(HttpRefusal):
            gate.parse(raw, depth_max=DEPTH, parts=ROWS)


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert gate.parse(b'{"a": "\\\\u0000"}', depth_max=DEPTH) == {"a": "\\u0000"}


@pytest.mark.parametrize(
    "number",
    [
        *(b"9007199254740993", b"-9007199254740993", b"1e300", b"1" * 30, b"18446744073709551615"),
        *(b"1e400", b"-1E+400", b"9" * 310, b"-" + b"9" * 5_000, b"9" * 400 + b".5e2", b"0." + b"1" * 400 + b"e400"),
        b"9" * 250 + b"e99",
    ],
)
def test_a_number_beyond_2_to_53_is_refused_with_its_pointer(number: bytes) -> None:
    assert refusal(b'{"a": [0, ' + number + b"]}") == (422, "number_too_large", "/a/1")


def test_a_number_that_no_double_holds_spoils_its_own_entry_only() -> None:
    raw = b'{"rows": [{"a": 1e400}, {"a": "1e400, \\"1e400"}, {"a": [0, -%b]}, {"a": 1e-400}]}' % (b"9" * 400)

    first, text, second, small = gate.parse(raw, depth_max=DEPTH, parts=ROWS)["rows"]

    assert [(one.code, one.place) for one in (first, second)] == [
        ("number_too_large", "/a"),
        ("number_too_large", "/a/1"),
    ]
    assert (text, small) == ({"a": '1e400, "1e400'}, {"a": 0.0})


def test_very_many_of_them_refuse_the_body_and_name_the_next_one() -> None:
    assert refusal(b"[" + b"1e400," * 1_001 + b"0]") == (422, "number_too_large", "line 1 column 6002")


@pytest.mark.parametrize(
    "raw",
    [
        *(b"[" + b"9" * 1_000_000 + b"]", b"[1e" + b"9" * 1_000_000 + b"]", b'[1e400,"' + b'\\"' * 500_000),
        *(b"[1e400," + b'"' * 1_000_000, b"[1e400," + b"-1" * 500_000, b"[1e400," + b"1e9" * 300_000),
    ],
)
def test_a_long_body_with_such_a_number_takes_no_time(raw: bytes) -> None:
    """A million bytes take some hundredths of a second; what grows with their square would take hours."""
    began = time.process_time()
    with pytest.raises(HttpRefusal):
        gate.parse(raw, depth_max=DEPTH)
    assert time.process_time() - began < 5


def test_numbers_up_to_2_to_53_and_booleans_pass() -> None:
    document = gate.parse(b'{"a": [9007199254740992, -9007199254740992, 0.1, -0, true, null]}', depth_max=DEPTH)

    assert document == {"a": [2**53, -(2**53), 0.1, 0, True, None]}


def test_thirty_two_levels_pass_and_one_more_is_refused_with_the_place() -> None:
    fits = b"[" * 32 + b"1" + b"]" * 32
    deeper = b'{"a":' + fits + b"}"

    assert gate.parse(fits, depth_max=DEPTH)
    # The document itself is level 0 of the pointer: /a and 32 zeros lead to the value that lies too deep.
    assert refusal(deeper) == (422, "json_too_deep", "/a" + "/0" * 32)


@pytest.mark.parametrize("depth", [900, 1_100, 100_000])
def test_any_greater_depth_is_refused_alike(depth: int) -> None:
    assert refusal(b"[" * depth + b"]" * depth)[:2] == (422, "json_too_deep")
    assert refusal(b"[" * depth + b"]" * depth)[2]


def test_of_equal_keys_the_last_one_counts() -> None:
    assert gate.parse(b'{"a": 1, "a": 2}', depth_max=DEPTH) == {"a": 2}


@pytest.mark.parametrize(
    ("query", "path", "place", "said"),
    [
        (b"q=%ff%fe", b"/", "query", "the query is not UTF-8 text"),
        (b"q=%00", b"/", "query", "the query holds the NUL character"),
        (b"q=%00%ff", b"/", "query", "the query is not UTF-8 text"),
        (b"", b"/v1/golden-records/%c3%28", "path", "the path is not UTF-8 text"),
        (b"", b"/%00", "path", "the path holds the NUL character"),
    ],
)
def test_an_address_that_is_no_text_or_holds_nul_is_refused(query: bytes, path: bytes, place: str, said: str) -> None:
    with pytest.raises(HttpRefusal) as caught:
        gate.check_address(query, path)

    refusal = caught.value
    assert (refusal.status, refusal.code, refusal.place) == (400, "address_malformed", place)
    assert refusal.detail == said
    assert refusal.remedy


def test_an_address_with_encoded_text_passes() -> None:
    gate.check_address(b"q=M%C3%BCller", b"/v1/golden-records/%F0%9F%8F%A2")


def request_of(chunks: list[bytes], headers: dict[bytes, bytes]) -> tuple[Request, list[int]]:
    read: list[int] = []

    async def messages() -> AsyncIterator[dict[str, object]]:
        for position, chunk in enumerate(chunks):
            read.append(len(chunk))
            yield {"type": "http.request", "body": chunk, "more_body": position < len(chunks) - 1}

    stream = messages()
    return Request({"type": "http", "method": "POST", "headers": list(headers.items())}, stream.__anext__), read


def test_a_body_is_counted_while_it_streams_whatever_content_length_says() -> None:
    headers = {b"content-type": b"application/json", b"content-length": b"2"}
    request, read = request_of([b" " * 400] * 500_000, headers)

    with pytest.raises(TooLarge):
        asyncio.run(gate.admit(request, bytes_max=1_000, depth_max=DEPTH))

    # The third chunk of 400 bytes is the one that passes 1,000; nothing was read after it.
    assert sum(read) == 1_200


@pytest.mark.parametrize(
    "media_type", [b"", b"text/plain", b"application/x-www-form-urlencoded", b"multipart/form-data; boundary=x"]
)
def test_another_media_type_is_refused_before_the_body_is_parsed(media_type: bytes) -> None:
    request, _ = request_of([b"a=1"], {b"content-type": media_type})

    with pytest.raises(HttpRefusal) as caught:
        asyncio.run(gate.admit(request, bytes_max=1_000, depth_max=DEPTH))

    assert (caught.value.status, caught.value.code) == (415, "media_type_unsupported")


def test_an_admitted_body_is_given_on_as_sent_and_as_checked() -> None:
    request, _ = request_of([b'{"a"', b": 1}"], {b"content-type": b"application/json; charset=utf-8"})

    admitted = asyncio.run(gate.admit(request, bytes_max=1_000, depth_max=DEPTH))

    assert asyncio.run(admitted.body()) == b'{"a": 1}'
    assert asyncio.run(admitted.json()) == {"a": 1}
