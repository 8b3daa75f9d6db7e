"""A receiver of webhooks on localhost, as its makers would write one: it keeps what came and answers as it is told."""

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

NO_ANSWER: Final = 0  # in place of a status: the message was taken, and the connection ends without a word


@dataclass(frozen=True)
class Attempt:
    """One request that came: its headers by lower-case name, and its body."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """Give the id of the message."""
        return self.headers["webhook-id"]


@dataclass
class Receiver:
    """What came, in order, and what is answered: a status, and headers with it.

    at_once_max  how many requests were being answered at the same time
    """

    url: str = ""
    answer: Callable[[Attempt], int | tuple[int, Mapping[str, str]]] = lambda _: 204
    attempts: list[Attempt] = field(default_factory=list)
    at_once: int = 0
    at_once_max: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, attempt: Attempt) -> tuple[int, Mapping[str, str]]:
        """Note an attempt and give the answer to it."""
        with self.lock:
            self.attempts.append(attempt)
            self.at_once += 1
            self.at_once_max = max(self.at_once, self.at_once_max)
        answer = self.answer(attempt)
        with self.lock:
            self.at_once -= 1
        return answer if isinstance(answer, tuple) else (answer, {})


@contextmanager
def receiver() -> Iterator[Receiver]:
    """Run a receiver for the length of a `with` block."""
    one = Receiver()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers["Content-Length"])
            body = self.rfile.read(length)
            if len(body) < length:  # the sender died in the middle: nobody has been told anything
                self.close_connection = True
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, sent = one.take(Attempt(self.path, headers, body))
            if status == NO_ANSWER:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in sent.items():
                self.send_header(name, value)
            if status != 204:
                self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name is the base class's
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Answers) as listening:
        listening.daemon_threads = True  # a kept connection does not hold the test up
        one.url = f"http://127.0.0.1:{listening.server_port}/hook?tenant=1"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield one
        finally:
            listening.shutdown()
            thread.join()
