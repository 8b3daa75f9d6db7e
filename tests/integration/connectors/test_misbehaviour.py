"""Whatever a server does to a call, on the wire, has its exact kind of failure; a webhook and a caller that needs the
body may differ where the server said that it took the message.
"""

import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from email.utils import format_datetime
from ipaddress import ip_network

import httpcore2
import pytest

from mdm import clock
from mdm.connectors.addresses import Call, GuardedBackend
from mdm.connectors.http import HttpClient, Timeouts, failure_of, failure_of_error
from mdm.connectors.model import CallFailed, Failure, FailureKind, Message, Receipt
from mdm.connectors.signatures import Keys, make_secret
from mdm.connectors.webhook import Webhook
from tests.misbehaving import Behaviour, Certificate, Visit, answering, certificate, misbehaving_server

LOCAL = [ip_network("127.0.0.0/8"), ip_network("::1/128")]
PATIENT = Timeouts(connect_s=10, silence_s=10, total_s=10)
QUICK = Timeouts(connect_s=10, silence_s=0.4, total_s=0.8)
ERROR_PAGE_BYTES = 10_000_000
MESSAGE = Message("evt-1", "golden_record.changed", "customer", "cus_1", b'{"specversion": "1.0"}')


@dataclass(frozen=True)
class Cell:
    """One thing that a server does, and what it means: to a caller that needs the body, and to a webhook."""

    name: str
    behaviour: Behaviour
    kind: FailureKind | None
    reason: str
    retry_after_s: float | None = None
    webhook: FailureKind | str | None = "same"
    timeouts: Timeouts = PATIENT


def on_request(act: Callable[[Visit], None]) -> Behaviour:
    """Read one request, then act."""

    def behave(visit: Visit) -> None:
        visit.read_request()
        act(visit)

    return behave


def head(status: str, length: int) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n\r\n".encode()


def page(visit: Visit) -> None:
    visit.send(head("500 Meyer GmbH", ERROR_PAGE_BYTES) + b"<p>Meyer GmbH</p>" * (ERROR_PAGE_BYTES // 17 + 1))


def endless(visit: Visit) -> None:
    visit.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while not visit.server.is_over.is_set():
        visit.send(b"1000\r\n" + b"x" * 0x1000 + b"\r\n")


def dripping(status: str) -> Callable[[Visit], None]:
    """Send the head at once, and the body byte by byte."""

    def act(visit: Visit) -> None:
        visit.send(head(status, 1_000))
        visit.drip(b"x" * 1_000, 0.05)

    return act


def in_an_hour() -> str:
    return format_datetime(clock.now() + timedelta(hours=1), usegmt=True)


CELLS = [
    Cell("taken", answering("200 OK", body=b"{}"), None, ""),
    Cell("taken without a body", answering("204 No Content"), None, ""),
    Cell("accepted for later", answering("202 Accepted"), None, ""),
    Cell("throttled", answering("429 Slow Down"), "throttled", "429 Too Many Requests"),
    Cell("throttled, says when", answering("429 X", "Retry-After: 7"), "throttled", "429 Too Many Requests", 7.0),
    Cell(
        "throttled until a date",
        answering("429 X", f"Date: {format_datetime(clock.now(), usegmt=True)}", f"Retry-After: {in_an_hour()}"),
        "throttled",
        "429 Too Many Requests",
        3_600.0,
    ),
    Cell("broken", answering("500 Oops"), "unavailable", "500 Internal Server Error"),
    Cell("bad gateway", answering("502 X"), "unavailable", "502 Bad Gateway"),
    Cell("away", answering("503 X"), "unavailable", "503 Service Unavailable"),
    Cell("away, says when", answering("503 X", "Retry-After: 9"), "throttled", "503 Service Unavailable", 9.0),
    Cell("request timeout", answering("408 X"), "unavailable", "408 Request Timeout"),
    Cell("too early", answering("425 X"), "unavailable", "425 Too Early"),
    Cell("redirect", answering("302 X", "Location: http://127.0.0.1:9/"), "moved", "302 Found"),
    Cell("permanent redirect", answering("308 X", "Location: /there"), "moved", "308 Permanent Redirect"),
    Cell("several records", answering("300 X"), "ambiguous", "300 Multiple Choices"),
    Cell("bad request", answering("400 X", body=b'{"code": "BAD_FIELD"}'), "refused", "400 Bad Request (BAD_FIELD)"),
    Cell("not found", answering("404 X"), "refused", "404 Not Found"),
    Cell("rule of the system", answering("422 X"), "refused", "422 Unprocessable"),
    Cell("no credentials", answering("401 X"), "not_allowed", "401 Unauthorized"),
    Cell("no permission", answering("403 X"), "not_allowed", "403 Forbidden"),
    Cell("closed for good", answering("410 X"), "gone", "410 Gone"),
    Cell("10 MB error page", on_request(page), "unavailable", "500 Internal Server Error"),
    Cell("endless body", on_request(endless), "unclear", "200 OK, but the answer is too long", webhook=None),
    Cell("hangs", on_request(Visit.hang), "unclear", "no answer came in time", timeouts=QUICK),
    Cell(
        "drips its head",
        on_request(lambda visit: visit.drip(head("200 OK", 1_000) * 50, 0.05)),
        "unclear",
        "no answer came in time",
        timeouts=QUICK,
    ),
    Cell(
        "drips its body",
        on_request(dripping("200 OK")),
        "unclear",
        "200 OK, but the answer took too long",
        webhook=None,
        timeouts=QUICK,
    ),
    Cell(
        "drips the body of an error",
        on_request(dripping("500 X")),
        "unavailable",
        "500 Internal Server Error",
        timeouts=QUICK,
    ),
    Cell(
        "says 100 for ever",
        on_request(lambda visit: visit.drip(b"HTTP/1.1 100 Continue\r\n\r\n" * 1_000, 0.002)),
        "unclear",
        "no answer came in time",
        timeouts=QUICK,
    ),
    Cell(
        "200, then drops",
        on_request(lambda visit: visit.send(head("200 OK", 1_000) + b'{"id":')),
        "unclear",
        "200 OK, but the answer ended early",
        webhook=None,
    ),
    Cell("drops without a word", on_request(lambda _: None), "unclear", "the connection ended"),
    Cell("resets after the request", on_request(Visit.reset), "unclear", "the connection broke"),
    Cell("speaks no HTTP", on_request(lambda visit: visit.send(b"220 mail ready\r\n")), "unclear", "no HTTP"),
    Cell(
        "a head without end",
        on_request(lambda visit: visit.send(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000)),
        "unclear",
        "no HTTP",
    ),
]


@pytest.mark.parametrize("cell", CELLS, ids=lambda cell: cell.name)
def test_each_misbehaviour_has_its_kind(cell: Cell) -> None:
    with misbehaving_server(cell.behaviour) as server:
        client = HttpClient(allowed=LOCAL, timeouts=cell.timeouts)
        url = f"http://127.0.0.1:{server.port}/hook"
        began = time.monotonic()

        try:
            failure = failure_of(client.send("POST", url, body=b"{}"))
        except CallFailed as failed:
            failure = failed.failure

        assert time.monotonic() - began < 10
        assert_is(cell, failure, cell.kind)

        client.close()
        webhook = Webhook(url, Keys(make_secret()), HttpClient(allowed=LOCAL, timeouts=cell.timeouts))
        [outcome] = webhook.send([MESSAGE])
        webhook.close()

        expected = cell.kind if cell.webhook == "same" else None
        assert_is(cell, None if isinstance(outcome, Receipt) else outcome, expected)
        assert isinstance(outcome, Failure) or outcome == Receipt("evt-1")
        assert server.visits == 2  # and no third one: nothing is repeated by itself
        assert server.bytes_sent < ERROR_PAGE_BYTES


def assert_is(cell: Cell, failure: Failure | None, kind: FailureKind | None) -> None:
    if kind is None:
        assert failure is None
        return
    assert failure is not None
    assert failure.kind == kind
    assert cell.reason in failure.reason
    assert "Meyer" not in failure.reason
    assert failure.retry_after_s == (None if cell.retry_after_s is None else pytest.approx(cell.retry_after_s, abs=5))


@pytest.fixture(scope="module")
def hub_certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("tls"), "erp.example.com")


def to_local(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def failure_at(url: str, client: HttpClient) -> Failure:
    with pytest.raises(CallFailed) as failed:
        client.send("POST", url, body=b"{}")
    client.close()
    return failed.value.failure


def test_the_name_is_kept_for_tls_and_host_while_the_address_is_dialled(hub_certificate: Certificate) -> None:
    with misbehaving_server(answering("200 OK", body=b"{}"), tls=hub_certificate.server) as server:
        client = HttpClient(allowed=LOCAL, timeouts=PATIENT, tls=hub_certificate.trusting, resolve=to_local)

        answer = client.send("POST", f"https://erp.example.com:{server.port}/a?b=c", body=b"{}")

        client.close()
        assert answer.status == 200
        assert server.requests[0].startswith(b"POST /a?b=c HTTP/1.1\r\n")
        assert b"\r\nHost: erp.example.com:%d\r\n" % server.port in server.requests[0]


def test_a_certificate_that_signs_itself_is_not_believed(hub_certificate: Certificate) -> None:
    with misbehaving_server(answering("200 OK"), tls=hub_certificate.server) as server:
        client = HttpClient(allowed=LOCAL, timeouts=PATIENT, resolve=to_local)

        failure = failure_at(f"https://erp.example.com:{server.port}/", client)

        assert failure == Failure("unavailable", "TLS: self-signed certificate")
        assert server.requests == []


def test_a_certificate_of_another_name_is_not_believed(hub_certificate: Certificate) -> None:
    with misbehaving_server(answering("200 OK"), tls=hub_certificate.server) as server:
        client = HttpClient(allowed=LOCAL, timeouts=PATIENT, tls=hub_certificate.trusting, resolve=to_local)

        failure = failure_at(f"https://crm.example.com:{server.port}/", client)

        assert (failure.kind, failure.reason[:5]) == ("unavailable", "TLS: ")
        assert "hostname mismatch" in failure.reason
        assert server.requests == []


def test_a_server_that_speaks_no_tls_is_unavailable() -> None:
    with misbehaving_server(lambda visit: visit.send(b"220 mail ready\r\n" * 10)) as server:
        failure = failure_at(f"https://127.0.0.1:{server.port}/", HttpClient(allowed=LOCAL, timeouts=PATIENT))

        assert (failure.kind, failure.reason[:5]) == ("unavailable", "TLS: ")


def test_a_reset_in_the_handshake_is_unavailable_since_nothing_left() -> None:
    def reset(visit: Visit) -> None:
        visit.socket.recv(1)  # the greeting has come
        visit.reset()

    with misbehaving_server(reset) as server:
        failure = failure_at(f"https://127.0.0.1:{server.port}/", HttpClient(allowed=LOCAL, timeouts=PATIENT))

        assert failure == Failure("unavailable", "the connection failed")


def test_a_handshake_without_end_is_given_up() -> None:
    with misbehaving_server(Visit.hang) as server:
        client = HttpClient(allowed=LOCAL, timeouts=Timeouts(connect_s=0.3, silence_s=10, total_s=10))

        failure = failure_at(f"https://127.0.0.1:{server.port}/", client)

        assert failure == Failure("unavailable", "the connection took too long")


def test_a_reset_before_the_request_left_is_unavailable() -> None:
    is_connected = threading.Event()

    def reset(visit: Visit) -> None:
        is_connected.wait(10)
        visit.reset()

    with misbehaving_server(reset) as server:
        backend = GuardedBackend(LOCAL)
        call = Call(ends_at=time.monotonic() + 10, is_plain=True)

        with backend.calling(call):
            stream = backend.connect_tcp("127.0.0.1", server.port, 10)
            is_connected.set()
            with pytest.raises(httpcore2.ReadError):
                stream.read(1)
            with pytest.raises(httpcore2.WriteError) as failed:
                stream.write(b"POST / HTTP/1.1\r\n\r\n")
            stream.close()

        assert failure_of_error(failed.value, has_left=call.has_left) == Failure("unavailable", "the connection broke")


def test_a_port_where_nobody_listens_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    failure = failure_at(f"http://127.0.0.1:{port}/", HttpClient(allowed=LOCAL, timeouts=PATIENT))

    assert failure == Failure("unavailable", "the connection failed")


def test_a_name_without_an_address_is_unavailable() -> None:
    def fail(host: str, port: int) -> list[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    failure = failure_at("https://erp.example.com/", HttpClient(resolve=fail))
    assert failure == Failure("unavailable", "erp.example.com does not resolve")

    failure = failure_at("https://erp.example.com/", HttpClient(resolve=lambda _host, _port: []))
    assert failure == Failure("unavailable", "erp.example.com has no address")


def test_a_look_up_without_end_is_given_up() -> None:
    is_over = threading.Event()

    def hang(host: str, port: int) -> list[str]:
        is_over.wait(60)
        return ["127.0.0.1"]

    failure = failure_at("https://erp.example.com/", HttpClient(timeouts=QUICK, resolve=hang))
    is_over.set()

    assert failure == Failure("unavailable", "the connection took too long")


def test_the_next_address_of_a_name_is_tried_when_one_does_not_answer() -> None:
    with misbehaving_server(answering("200 OK")) as server:
        client = HttpClient(allowed=LOCAL, timeouts=PATIENT, resolve=lambda _host, _port: ["::1", "127.0.0.1"])

        answer = client.send("GET", f"http://erp.example.com:{server.port}/")

        client.close()
        assert answer.status == 200


def test_a_body_is_cut_at_the_bound_and_the_rest_is_not_awaited() -> None:
    with misbehaving_server(on_request(page)) as server:
        client = HttpClient(allowed=LOCAL, timeouts=PATIENT, answer_bytes_max=50_000)

        answer = client.send("GET", f"http://127.0.0.1:{server.port}/")

        client.close()
        assert (answer.status, len(answer.body), answer.flaw) == (500, 50_000, "the answer is too long")
    assert server.bytes_sent < ERROR_PAGE_BYTES


def test_a_body_at_the_bound_is_whole() -> None:
    with misbehaving_server(answering("200 OK", body=b"x" * 1_000)) as server:
        client = HttpClient(allowed=LOCAL, timeouts=PATIENT, answer_bytes_max=1_000)

        answer = client.send("GET", f"http://127.0.0.1:{server.port}/")

        client.close()
        assert (len(answer.body), answer.flaw) == (1_000, "")


def test_connections_are_kept_and_cookies_are_not() -> None:
    with misbehaving_server(answering("200 OK", "Set-Cookie: session=1", body=b"{}")) as server:
        client = HttpClient(allowed=LOCAL, timeouts=PATIENT)

        for _ in range(5):
            assert client.send("POST", f"http://127.0.0.1:{server.port}/", body=b"{}").status == 200

        client.close()
        assert server.visits == 1
        assert not any(b"cookie" in request.lower() for request in server.requests)


def test_a_header_that_would_begin_another_is_refused() -> None:
    with misbehaving_server(answering("200 OK")) as server:
        client = HttpClient(allowed=LOCAL, timeouts=PATIENT)
        for value in ("a\r\nX-Other: b", "a\nb", "Müller"):
            with pytest.raises(CallFailed) as failed:
                client.send("GET", f"http://127.0.0.1:{server.port}/", headers={"X-One": value})
            assert failed.value.failure == Failure("refused", "the request cannot be written as HTTP")

        client.close()
        assert server.requests == []
