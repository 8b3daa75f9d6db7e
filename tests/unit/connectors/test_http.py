"""What an answer, or its absence, means to whoever has to try again."""

import ssl
from datetime import timedelta
from email.utils import format_datetime

import httpcore2
import orjson
import pytest

from mdm import clock
from mdm.connectors.addresses import AddressDenied, NameUnknown, TlsFailed
from mdm.connectors.http import RETRY_AFTER_S_MAX, Answer, failure_of, failure_of_error
from mdm.connectors.model import CallFailed, Failure, FailureKind

KINDS: list[tuple[int, FailureKind]] = [
    (300, "ambiguous"),
    (301, "moved"),
    (302, "moved"),
    (303, "moved"),
    (304, "moved"),
    (307, "moved"),
    (308, "moved"),
    (400, "refused"),
    (401, "not_allowed"),
    (402, "refused"),
    (403, "not_allowed"),
    (404, "refused"),
    (405, "refused"),
    (407, "refused"),
    (408, "unavailable"),
    (409, "refused"),
    (410, "gone"),
    (412, "refused"),
    (413, "refused"),
    (415, "refused"),
    (422, "refused"),
    (423, "refused"),
    (425, "unavailable"),
    (429, "throttled"),
    (451, "refused"),
    (499, "refused"),
    (500, "unavailable"),
    (501, "unavailable"),
    (502, "unavailable"),
    (503, "unavailable"),
    (504, "unavailable"),
    (507, "unavailable"),
    (599, "unavailable"),
    (101, "unclear"),
    (700, "unclear"),
]


@pytest.mark.parametrize(("status", "kind"), KINDS)
def test_each_status_has_its_kind(status: int, kind: FailureKind) -> None:
    failure = failure_of(Answer(status, {}, b""))

    assert failure is not None
    assert (failure.kind, failure.retry_after_s) == (kind, None)
    assert failure.reason.startswith(str(status))


@pytest.mark.parametrize("status", [200, 201, 202, 204, 206])
def test_a_whole_answer_of_success_is_no_failure(status: int) -> None:
    assert failure_of(Answer(status, {}, b"{}")) is None


def test_success_whose_body_is_not_whole_is_unclear() -> None:
    answer = Answer(200, {}, b'{"id": ', "the answer ended early")

    assert failure_of(answer) == Failure("unclear", "200 OK, but the answer ended early")
    assert answer.is_success
    with pytest.raises(CallFailed) as failed:
        answer.document()
    assert failed.value.failure == Failure("unclear", "200 OK, but the answer ended early")


def test_success_that_is_no_json_is_unclear_to_whoever_reads_it() -> None:
    with pytest.raises(CallFailed) as failed:
        Answer(201, {}, b"<html>").document()

    assert failed.value.failure == Failure("unclear", "201 Created, but the answer is no JSON")


@pytest.mark.parametrize(
    ("written", "date", "expected"),
    [
        ("0", "", 0.0),
        ("120", "", 120.0),
        (" 7 ", "", 7.0),
        ("0.5", "", 0.5),
        ("999999999", "", RETRY_AFTER_S_MAX),
        ("Wed, 21 Oct 2026 07:28:30 GMT", "Wed, 21 Oct 2026 07:28:00 GMT", 30.0),
        ("Wed, 21 Oct 2026 09:28:30 +0200", "Wed, 21 Oct 2026 07:28:00 GMT", 30.0),
        ("Tue, 20 Oct 2026 07:28:30 GMT", "Wed, 21 Oct 2026 07:28:00 GMT", 0.0),
        ("Wed, 21 Oct 2099 07:28:30 GMT", "Wed, 21 Oct 2026 07:28:00 GMT", RETRY_AFTER_S_MAX),
        ("Wed, 21 Oct 2009 07:28:30 GMT", "", 0.0),
        ("-1", "", None),
        ("1e9", "", None),
        ("soon", "", None),
        ("", "", None),
        ("١٢٠", "", None),
        ("Wed, 99 Oct 2026 07:28:30 GMT", "", None),
        ("1" * 400, "", None),
    ],
)
def test_retry_after_is_read_as_seconds_or_as_a_date_by_the_clock_of_the_server(
    written: str, date: str, expected: float | None
) -> None:
    failure = failure_of(Answer(429, {"retry-after": written, "date": date}, b""))

    assert failure is not None
    assert failure.retry_after_s == expected


@pytest.mark.parametrize("date", ["", "yesterday"])
def test_a_date_to_come_back_at_is_read_by_our_own_clock_where_the_server_shows_none(date: str) -> None:
    written = format_datetime(clock.now() + timedelta(seconds=3_000), usegmt=True)

    failure = failure_of(Answer(429, {"retry-after": written, "date": date}, b""))

    assert failure is not None
    assert failure.retry_after_s is not None
    assert 2_900 < failure.retry_after_s <= 3_000


def test_a_503_that_says_when_to_come_back_is_throttling() -> None:
    assert failure_of(Answer(503, {"retry-after": "5"}, b"")) == Failure("throttled", "503 Service Unavailable", 5.0)
    assert failure_of(Answer(502, {"retry-after": "5"}, b"")) == Failure("unavailable", "502 Bad Gateway", 5.0)


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ({"code": "DUPLICATE_VALUE", "detail": "Meyer GmbH exists"}, " (DUPLICATE_VALUE)"),
        ([{"errorCode": "MALFORMED_ID", "message": "Meyer GmbH"}], " (MALFORMED_ID)"),
        ({"error": {"code": "invalid_grant", "message": "Meyer GmbH"}}, " (invalid_grant)"),
        ({"error": "invalid_client", "error_description": "Meyer GmbH"}, " (invalid_client)"),
        ({"type": "https://example.com/problems/duplicate", "title": "Meyer GmbH"}, ""),
        ({"type": "about:blank", "code": "Meyer GmbH exists"}, " (about:blank)"),
        ({"code": "Meyer GmbH exists"}, ""),
        ({"code": "x" * 41}, ""),
        ({"code": 17}, ""),
        ({"code": "Müller"}, ""),
        ("Meyer", ""),
        ([], ""),
        (["Meyer"], ""),
        (None, ""),
    ],
)
def test_a_reason_holds_the_short_word_of_a_problem_and_nothing_that_it_quotes(told: object, shown: str) -> None:
    failure = failure_of(Answer(400, {"content-type": "application/problem+json"}, orjson.dumps(told)))

    assert failure == Failure("refused", f"400 Bad Request{shown}")


def test_a_page_of_html_leaves_no_trace_in_the_reason() -> None:
    assert failure_of(Answer(500, {}, b"<h1>Meyer GmbH</h1>" * 1_000)) == Failure(
        "unavailable", "500 Internal Server Error"
    )


# Each row: what happened, the kind before the head of the request left, and the kind after.
ERRORS: list[tuple[Exception, FailureKind, FailureKind]] = [
    (AddressDenied("x"), "not_allowed", "not_allowed"),
    (NameUnknown("x does not resolve"), "unavailable", "unavailable"),
    (TlsFailed("self-signed certificate"), "unavailable", "unavailable"),
    (httpcore2.ConnectError(), "unavailable", "unavailable"),
    (httpcore2.ConnectTimeout(), "unavailable", "unavailable"),
    (httpcore2.PoolTimeout(), "unavailable", "unavailable"),
    (httpcore2.LocalProtocolError(), "refused", "refused"),
    (httpcore2.WriteError(), "unavailable", "unclear"),
    (httpcore2.WriteTimeout(), "unavailable", "unclear"),
    (httpcore2.ReadError(), "unavailable", "unclear"),
    (httpcore2.ReadTimeout(), "unavailable", "unclear"),
    (httpcore2.RemoteProtocolError(), "unavailable", "unclear"),
    (ssl.SSLError("unforeseen"), "unavailable", "unclear"),
]


@pytest.mark.parametrize(("error", "before", "after"), ERRORS, ids=lambda value: type(value).__name__)
def test_without_an_answer_it_counts_whether_the_request_left(
    error: Exception, before: FailureKind, after: FailureKind
) -> None:
    assert failure_of_error(error, has_left=False).kind == before
    assert failure_of_error(error, has_left=True).kind == after
