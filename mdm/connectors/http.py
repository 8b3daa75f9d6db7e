"""HTTP as the hub speaks it to systems it does not trust, and what becomes of its answers.

`HttpClient` calls public addresses by https, and networks that a setting allows also by http (see addresses.py). It
follows no redirect, keeps no cookie, asks no proxy, takes no compressed body, and holds every answer to a number of
bytes and every call to a time, however slowly it trickles. Any port from 1024 up is called, below it 80 and 443 only:
the rest is mail, names and directories, which speak something else.

`failure_of` and `failure_of_error` are the one place where an answer, or its absence, becomes a `Failure`.
"""

import re
import ssl
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from importlib.metadata import version
from typing import Any, Final

import httpcore2
import httpx2
import orjson

from mdm import clock
from mdm.connectors.addresses import (
    AddressDenied,
    Call,
    GuardedBackend,
    NameUnknown,
    Network,
    Resolver,
    TlsFailed,
    look_up,
)
from mdm.connectors.model import CallFailed, Failure, FailureKind, Meter, unmetered

ANSWER_BYTES_MAX: Final = 1_000_000  # chosen: a page of records takes less; of an error page nothing is kept
ERROR_BYTES_MAX: Final = 64_000  # chosen: an error that has more to say is a page of HTML
RETRY_AFTER_S_MAX: Final = 86_400.0  # chosen: vendors' quotas are by the day; more is a mistake, or malice
_CONNECTIONS_MAX: Final = 32  # chosen: more than the threads of one worker that call at a time
_KEEP_ALIVE_S: Final = 5.0  # chosen: servers close idle connections after 5 to 60 seconds
_PORTS_BELOW_1024: Final = frozenset({80, 443})

_KIND_BY_STATUS: Final[Mapping[int, FailureKind]] = {
    300: "ambiguous",
    401: "not_allowed",
    403: "not_allowed",
    408: "unavailable",
    410: "gone",
    425: "unavailable",
    429: "throttled",
}
_KIND_BY_HUNDRED: Final[Mapping[int, FailureKind]] = {3: "moved", 4: "refused", 5: "unavailable"}
_CODE_NAMES: Final = ("code", "errorCode", "error", "type")  # RFC 9457, OAuth 2.0, OData, Salesforce
_SHORT_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.:-]{0,39}")
_SECONDS: Final = re.compile(r"[0-9]{1,9}(\.[0-9]{1,3})?")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds until a call is given up: for its connection, for silence, and in all."""

    connect_s: float = 5.0
    silence_s: float = 20.0
    total_s: float = 20.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said.

    headers  by lower-case name; those of one name are joined by ", "
    body     at most the bound of the client
    flaw     why the body is not whole; empty when it is
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    flaw: str = ""

    @property
    def is_success(self) -> bool:
        """Tell whether the server says that it did what it was asked (2xx), whatever became of the body."""
        return 200 <= self.status < 300

    def document(self) -> Any:
        """Read the body as JSON; raises CallFailed with `unclear`, since what was asked may be done."""
        try:
            return orjson.loads(b"" if self.flaw else self.body)
        except orjson.JSONDecodeError:
            what = self.flaw or "the answer is no JSON"
            raise CallFailed(Failure("unclear", f"{_title(self.status)}, but {what}")) from None


class HttpClient:
    """Calls the systems of others; a connector opens one, threads share it."""

    def __init__(
        self,
        *,
        allowed: Sequence[Network] = (),
        timeouts: Timeouts = Timeouts(),
        answer_bytes_max: int = ANSWER_BYTES_MAX,
        tls: ssl.SSLContext | None = None,
        resolve: Resolver = look_up,
        meter: Meter = unmetered,
    ) -> None:
        """Call nobody yet.

        allowed  networks that are called though they are not public: Settings.outgoing_networks
        tls      whom to trust, and as whom to come; unset: the authorities of the system, or those of SSL_CERT_FILE
        meter    told before each call
        """
        self._timeouts = timeouts
        self._answer_bytes_max = answer_bytes_max
        self._meter = meter
        self._backend = GuardedBackend(allowed, resolve)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls or httpcore2.default_ssl_context(),
            max_connections=_CONNECTIONS_MAX,
            keepalive_expiry=_KEEP_ALIVE_S,
            network_backend=self._backend,
        )

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def send(self, method: str, url: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Answer:
        """Send a request and read the answer; raises CallFailed when there is none, saying whether it may have left."""
        place = _place(url)
        self._meter(1)
        limits = self._timeouts
        call = Call(ends_at=time.monotonic() + limits.total_s, is_plain=place.scheme == b"http")
        steps = {
            "connect": limits.connect_s,
            "read": limits.silence_s,
            "write": limits.silence_s,
            "pool": limits.connect_s,
        }
        sent = _written({"User-Agent": _AGENT, "Accept-Encoding": "identity", **(headers or {})})
        try:
            with (
                self._backend.calling(call),
                self._pool.stream(
                    method,
                    place,
                    headers=sent,
                    content=body if body or method not in {"GET", "HEAD", "DELETE"} else None,
                    extensions={"timeout": steps},
                ) as response,
            ):
                read, flaw = self._read(response)
                headers = _by_name(response.headers)
                # An answer in chunks does not say its length before; what follows it is noticed only while it waits.
                if call.stream and not flaw and "content-length" in headers:
                    call.stream.end_answer(len(read))
                return Answer(response.status, headers, read, flaw)
        except _UNANSWERED as error:
            raise CallFailed(failure_of_error(error, has_left=call.has_left)) from error

    def _read(self, response: httpcore2.Response) -> tuple[bytes, str]:
        """Read a body up to the bound; gives what came, and why it is not whole. What is left unread is not awaited."""
        bytes_max = self._answer_bytes_max
        if not 200 <= response.status < 300:
            bytes_max = min(bytes_max, ERROR_BYTES_MAX)
        body = bytearray()
        try:
            for piece in response.iter_stream():
                body += piece
                if len(body) > bytes_max:
                    return bytes(body[:bytes_max]), "the answer is too long"
        except httpcore2.TimeoutException:
            return bytes(body), "the answer took too long"
        except (httpcore2.NetworkError, httpcore2.ProtocolError):
            return bytes(body), "the answer ended early"
        return bytes(body), ""


def flaw_of_url(url: str) -> str:
    """Say why an address is none to call, whoever is there and on whatever port; empty where it is one."""
    try:
        _read_url(url)
    except CallFailed as failed:
        return failed.failure.reason
    return ""


def failure_of(answer: Answer) -> Failure | None:
    """Say why what was asked is not done, going by an answer; None when it is done and the answer is whole.

    A success whose body is not whole is unclear; whoever needs no body looks at `is_success` first.
    """
    if answer.is_success:
        return Failure("unclear", f"{_title(answer.status)}, but {answer.flaw}") if answer.flaw else None
    wait_s = _retry_after_s(answer.headers)
    kind = _KIND_BY_STATUS.get(answer.status) or _KIND_BY_HUNDRED.get(answer.status // 100, "unclear")
    if answer.status == 503 and wait_s is not None:
        kind = "throttled"
    code = _code(answer.body)
    return Failure(kind, f"{_title(answer.status)} ({code})" if code else _title(answer.status), wait_s)


def failure_of_error(error: Exception, *, has_left: bool) -> Failure:
    """Say why what was asked is not done, where no answer came.

    has_left  whether the request may have reached the other side, so that it may be done all the same
    """
    match error:
        case AddressDenied():
            return Failure("not_allowed", str(error))
        case NameUnknown():
            return Failure("unavailable", str(error))
        case TlsFailed():
            return Failure("unavailable", f"TLS: {error}")
        case httpcore2.LocalProtocolError():
            return Failure("refused", "the request cannot be written as HTTP")
        case httpcore2.PoolTimeout():
            return Failure("unavailable", "every connection was busy")
        case httpcore2.ConnectTimeout():
            return Failure("unavailable", "the connection took too long")
        case httpcore2.ConnectError():
            return Failure("unavailable", "the connection failed")
        case httpcore2.TimeoutException():
            what = "no answer came in time"
        case httpcore2.RemoteProtocolError():
            what = "the connection ended, or what came was no HTTP"
        case _:
            what = "the connection broke"
    return Failure("unclear" if has_left else "unavailable", what)


_UNANSWERED: Final = (httpcore2.TimeoutException, httpcore2.NetworkError, httpcore2.ProtocolError)
_AGENT: Final = f"mdm-hub/{version('mdm-hub')}"


def _place(url: str) -> httpcore2.URL:
    """Read an address; raises CallFailed for one that no call to it can mend."""
    parsed = _read_url(url)
    port = parsed.port
    if port is not None and not 1024 <= port <= 65_535 and port not in _PORTS_BELOW_1024:
        raise _misnamed(f"port {port} is not called; 80, 443 and those from 1024 up are")
    return httpcore2.URL(scheme=parsed.raw_scheme, host=parsed.raw_host, port=parsed.port, target=parsed.raw_path)


def _read_url(url: str) -> httpx2.URL:
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise _misnamed("it cannot be read") from None
    if parsed.scheme not in {"https", "http"} or not parsed.host:
        raise _misnamed("write https:// and a host")
    if parsed.userinfo:
        raise _misnamed("credentials do not belong there")
    return parsed


def _misnamed(why: str) -> CallFailed:
    return CallFailed(Failure("not_allowed", f"the address of the target cannot be called: {why}"))


def _written(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Write headers as bytes; raises CallFailed. What may not stand in one is refused when it is sent."""
    try:
        return [(name.encode("ascii"), value.encode("ascii")) for name, value in headers.items()]
    except UnicodeEncodeError:
        raise CallFailed(failure_of_error(httpcore2.LocalProtocolError(), has_left=False)) from None


def _by_name(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    by_name: dict[str, str] = {}
    for raw_name, raw_value in headers:
        name, value = raw_name.decode("latin-1").lower(), raw_value.decode("latin-1")
        by_name[name] = f"{by_name[name]}, {value}" if name in by_name else value
    return by_name


def _title(status: int) -> str:
    """Name a status by its phrase in the standard: a server's own phrase may quote what it was sent."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


def _code(body: bytes) -> str:
    """Find the short word by which an error names itself; anything longer may quote what was sent, and is left out."""
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    if isinstance(told, list):
        told = told[0] if told else None
    if isinstance(told, dict) and isinstance(told.get("error"), dict):
        told = told["error"]
    if not isinstance(told, dict):
        return ""
    words = (told.get(name) for name in _CODE_NAMES)
    return next((word for word in words if isinstance(word, str) and _SHORT_WORD.fullmatch(word)), "")


def _retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Read Retry-After: seconds, or a date by the server's own clock (RFC 9110, 10.2.3); None without a usable one."""
    written = headers.get("retry-after", "").strip()
    if _SECONDS.fullmatch(written):
        return min(float(written), RETRY_AFTER_S_MAX)
    until = _instant(written)
    if until is None:
        return None
    since = _instant(headers.get("date", "")) or clock.now()
    return min(max((until - since).total_seconds(), 0.0), RETRY_AFTER_S_MAX)


def _instant(written: str) -> datetime | None:
    try:
        instant = parsedate_to_datetime(written)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
