"""On the wire the faults are real: bytes, ends and silences that a plain socket sees."""

import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

import pytest

from mdm.demo.fakes.erp import ERP
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.faults import ANSWER_TWICE, DROP, HALF_AN_ANSWER, HANG, LONG_PAGE, PAGE_LENGTH, SLOW_BODY, Fault
from mdm.demo.fakes.wire import running

REQUEST = b"GET /api/customer HTTP/1.1\r\nHost: fake\r\nAuthorization: Bearer hub-key\r\n\r\n"


@contextmanager
def asked(fault: Fault | None = None, requests: bytes = REQUEST) -> Iterator[socket.socket]:
    with running(Fake(ERP)) as fake:
        fake.faults.script(fault)
        place = urlsplit(fake.url)
        with socket.create_connection((str(place.hostname), place.port or 0), timeout=60) as connection:
            connection.sendall(requests)
            yield connection


def received(connection: socket.socket, length: int) -> bytes:
    """Read so many bytes, or what there is until the other side ends."""
    read = b""
    while len(read) < length and (piece := connection.recv(65_536)):
        read += piece
    return read


def test_two_requests_on_one_connection_get_two_answers() -> None:
    with asked(None, REQUEST * 2) as connection:
        assert received(connection, 2 * _answer_length()).count(b"HTTP/1.1 200 OK") == 2


def test_whoever_asks_to_close_is_closed() -> None:
    with asked(None, REQUEST.replace(b"Host", b"Connection: close\r\nHost")) as connection:
        assert received(connection, 10_000).endswith(b'"is_last": true}')


def test_a_second_answer_follows_the_first() -> None:
    with asked(ANSWER_TWICE) as connection:
        assert received(connection, 2 * _answer_length()).count(b"HTTP/1.1 200 OK") == 2


def test_half_an_answer_ends_with_the_connection() -> None:
    with asked(HALF_AN_ANSWER) as connection:
        answer = received(connection, 10_000)

        assert answer.startswith(b"HTTP/1.1 200 OK")
        assert not answer.endswith(b"}")


def test_a_dropped_connection_ends_without_a_byte() -> None:
    with asked(DROP) as connection, suppress(ConnectionResetError):
        assert connection.recv(1) == b""


def test_a_hang_says_nothing_and_ends_with_the_fake() -> None:
    with asked(HANG) as connection:
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)


def test_a_slow_body_comes_a_byte_at_a_time() -> None:
    with asked(SLOW_BODY) as connection:
        head = received(connection, 1)
        began = time.monotonic()
        body = received(connection, 3)

        assert head.startswith(b"HTTP/1.1 200 OK")
        assert len(body) == 3
        assert time.monotonic() - began > 0.15  # three bytes are two pauses of 0.1 s; the first may come at once


def test_a_long_page_is_long() -> None:
    with asked(LONG_PAGE) as connection:
        page = received(connection, PAGE_LENGTH)

        assert page.startswith(b"HTTP/1.1 500 Internal Server Error")
        assert len(page) >= PAGE_LENGTH


def test_what_is_no_http_ends_the_connection() -> None:
    with asked(None, b"hello\r\n\r\n") as connection, suppress(ConnectionResetError):
        assert connection.recv(1) == b""


def test_the_certificate_is_good_for_those_who_trust_it_only() -> None:
    with running(Fake(ERP), has_tls=True) as fake:
        port = urlsplit(fake.tls_url).port or 0
        with socket.create_connection(("127.0.0.1", port), timeout=60) as plain:
            trusting = ssl.create_default_context(cafile=str(fake.certificate))
            with trusting.wrap_socket(plain, server_hostname="localhost") as connection:
                connection.sendall(REQUEST)
                assert connection.recv(15) == b"HTTP/1.1 200 OK"
        with (
            socket.create_connection(("127.0.0.1", port), timeout=60) as plain,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            ssl.create_default_context().wrap_socket(plain, server_hostname="localhost")


def test_a_port_that_is_taken_is_said_to_whoever_starts_it() -> None:
    with (
        running(Fake(ERP)) as fake,
        pytest.raises(OSError, match="address already in use"),
        running(Fake(ERP), port=urlsplit(fake.url).port or 0),
    ):
        pass


def test_it_runs_from_the_command_line_until_it_is_interrupted() -> None:
    command = [sys.executable, "-m", "mdm.demo.fakes", "crm", "--hub-key", "k", "--misbehave", "failing", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as running_fake:
        assert running_fake.stdout is not None
        line = running_fake.stdout.readline()
        place = urlsplit(line.split("listens on ")[1].split(". ")[0])
        with socket.create_connection((str(place.hostname), place.port or 0), timeout=60) as connection:
            connection.sendall(REQUEST.replace(b"hub-key", b"k").replace(b"customer", b"Account"))
            told = connection.recv(30)
        running_fake.terminate()

        assert running_fake.wait(60) == 0
        assert told.startswith(b"HTTP/1.1 500 Internal")


def _answer_length() -> int:
    """Give how long the answer to REQUEST is."""
    with asked(None, REQUEST.replace(b"Host", b"Connection: close\r\nHost")) as connection:
        return len(received(connection, 10_000)) + len("keep-alive") - len("close")
