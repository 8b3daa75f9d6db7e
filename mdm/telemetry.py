"""What the running hub tells: log lines, stage timers and counters.

Log lines are JSON objects on stderr, one a line, with the request or job they belong to. They carry ids, counts and
words, never the values of a record: a processor withholds whatever is long or nested, and an exception is told by its
type, code and place, because its text may quote a value. The eight words of the path are the only stage labels.
"""

import logging
import sys
import time
from collections.abc import Iterator, MutableMapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from traceback import extract_tb
from types import TracebackType
from typing import Any, Final, Literal, cast

import structlog
from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
    start_http_server,
)

from mdm.errors import HubError, Unavailable
from mdm.settings import Settings

StageName = Literal["ingest", "standardise", "block", "compare", "decide", "cluster", "survive", "publish"]

REGISTRY: Final = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

STAGE_SECONDS: Final = Histogram(
    "mdm_stage_seconds",
    "Seconds that one stage of the path took.",
    ["stage"],
    # Chosen: a stage of one record takes a fraction of a millisecond, of a bulk job up to minutes.
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300),
    registry=REGISTRY,
)
RECORDS: Final = Counter(
    "mdm_source_records",
    "Source records taken in, by what became of them.",
    ["entity_type", "status"],
    registry=REGISTRY,
)
IDENTITY_CHANGES: Final = Counter(
    "mdm_identity_changes",
    "Golden records created, merged, retired or restored.",
    ["entity_type", "kind"],
    registry=REGISTRY,
)
REVIEWS: Final = Counter(
    "mdm_reviews",
    "Reviews opened, reopened and closed, by kind.",
    ["entity_type", "kind", "change"],
    registry=REGISTRY,
)
DECISIONS: Final = Counter(
    "mdm_decisions",
    "What stewards decided: answers to reviews by kind and state; of their own accord, with kind none.",
    ["entity_type", "kind", "verdict", "state"],
    registry=REGISTRY,
)
EXCEPTIONS: Final = Counter(
    "mdm_exceptions", "Delivered records put aside.", ["entity_type", "code"], registry=REGISTRY
)
RATES_EXCEEDED: Final = Counter(
    "mdm_rates_exceeded", "Requests refused since their caller asked too much, by rate.", ["rate"], registry=REGISTRY
)
RESERVATIONS: Final = Counter(
    "mdm_reservations",
    "What became of idempotent creates: existing, reserved or review when asked; confirmed, abandoned or expired.",
    ["entity_type", "change"],
    registry=REGISTRY,
)
LOOKUPS: Final = Counter("mdm_lookups", "Source keys asked for, by answer.", ["answer"], registry=REGISTRY)
FREEZES: Final = Counter(
    "mdm_freezes",
    "Attributes frozen because systems kept replacing each other's values, by each target that is not told of them.",
    ["entity_type", "attribute", "target"],
    registry=REGISTRY,
)
ECHOES: Final = Counter(
    "mdm_echoes", "Fields in which a target showed what the hub had written there.", ["target"], registry=REGISTRY
)
DELIVERIES: Final = Counter(
    "mdm_deliveries", "Messages handed to targets, by outcome.", ["target", "outcome"], registry=REGISTRY
)
REQUESTS: Final = Counter("mdm_http_requests", "HTTP requests answered.", ["route", "status"], registry=REGISTRY)
REQUEST_SECONDS: Final = Histogram(
    "mdm_http_request_seconds",
    "Seconds from the first byte in to the last byte out.",
    ["route"],
    # Chosen: a look-up takes half a millisecond, a batch of 1,000 records some seconds.
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=REGISTRY,
)
DELIVERY_SECONDS: Final = Histogram(
    "mdm_delivery_seconds",
    "Seconds until a target was told, since a version was queued, its hours began or it was let run, the latest.",
    ["target"],
    # Chosen: an idle hub tells within a tenth of a second, a target that is back after a weekend within days.
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900, 3_600, 21_600, 86_400, 604_800),
    registry=REGISTRY,
)


# Chosen: longer than any id, source key, code or path of a route; shorter than most addresses and notes.
_TEXT_LENGTH_MAX: Final = 120
# Chosen: the frames nearest to the fault.
_FRAMES_MAX: Final = 12
_TIMER_LOG: Final = "mdm.stage"


@dataclass(slots=True)
class StageTimer:
    """A running stage; whoever runs it may set how many records or pairs it saw."""

    name: StageName
    count: int | None = None


@contextmanager
def stage(name: StageName) -> Iterator[StageTimer]:
    """Time one stage of the path: one observation and one debug line, also when it fails."""
    timer = StageTimer(name)
    started = time.perf_counter()
    outcome = "failed"
    try:
        yield timer
        outcome = "done"
    finally:
        seconds = time.perf_counter() - started
        STAGE_SECONDS.labels(name).observe(seconds)
        logger(_TIMER_LOG).debug("stage", stage=name, seconds=round(seconds, 6), count=timer.count, outcome=outcome)


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return the logger of a module; the event is a constant sentence, everything that varies is a field."""
    return cast("structlog.stdlib.BoundLogger", structlog.get_logger(name))


def log_context(**fields: str) -> AbstractContextManager[None]:
    """Add fields such as request_id or job_id to every line written inside a `with` block."""
    return structlog.contextvars.bound_contextvars(**fields)


def configure_logging(settings: Settings) -> None:
    """Send the lines of the hub and of its libraries to stderr in one shape."""
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if settings.log_format == "json" else structlog.dev.ConsoleRenderer()
    )
    channel = logging.StreamHandler(sys.stderr)
    channel.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [channel]
    root.setLevel(logging.WARNING)
    logging.getLogger("mdm").setLevel(settings.log_level.upper())


def render_metrics() -> bytes:
    """Return all counters in the text format of Prometheus."""
    return generate_latest(REGISTRY)


@contextmanager
def serving_metrics(host: str, port: int) -> Iterator[int]:
    """Answer scrapes of this process's counters while a block runs; gives the port. Raises Unavailable if it is taken.

    Of what the database knows nothing is told here: one process that serves the whole interface is enough for that.
    """
    try:
        server, thread = start_http_server(port, addr=host, registry=REGISTRY)
    except OSError as error:
        raise Unavailable(
            f"cannot listen on {host} port {port}: {error.strerror}",
            remedy="name another one with --metrics-port, 0 takes a free one",
        ) from error
    try:
        yield int(server.server_port)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def echoes_of(target: str) -> int:
    """Count the fields of a target that this process knew as its own words since it started."""
    return int(REGISTRY.get_sample_value("mdm_echoes_total", {"target": target}) or 0)


def withhold_values(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace nested values by their size and cut long texts: a record cannot slip into a log line as a whole."""
    for name, value in fields.items():
        if name in _OWN_FIELDS or value is None or isinstance(value, bool | int | float):
            continue
        if isinstance(value, dict | list | tuple | set | frozenset):
            fields[name] = f"withheld ({len(value)} entries)"
        elif not isinstance(value, str):
            fields[name] = f"withheld ({type(value).__name__})"
        elif len(value) > _TEXT_LENGTH_MAX:
            fields[name] = f"{value[:_TEXT_LENGTH_MAX]}…"
    return fields


def tell_exceptions(_logger: object, _method: str, fields: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Tell an exception by type, code and place; its message stays out, it may quote a value."""
    told = fields.pop("exc_info", None)
    if told is True:
        told = sys.exc_info()
    error = told[1] if isinstance(told, tuple) else told
    if isinstance(error, BaseException):
        fields["exception"] = _chain_of(error)
    return fields


_OWN_FIELDS: Final = frozenset({"_record", "_from_structlog", "exception"})


def _chain_of(error: BaseException) -> list[dict[str, object]]:
    """Describe an exception and its causes, the last raised first."""
    chain: list[dict[str, object]] = []
    seen: BaseException | None = error
    while seen is not None and len(chain) < _FRAMES_MAX:
        told: dict[str, object] = {"type": type(seen).__qualname__, "frames": _frames_of(seen.__traceback__)}
        if isinstance(seen, HubError):
            told["code"] = seen.code
        chain.append(told)
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return chain


def _frames_of(traceback: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in extract_tb(traceback)[-_FRAMES_MAX:]]


_SHARED: Final[list[structlog.typing.Processor]] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    tell_exceptions,
    withhold_values,
]
# From the first import on, lines go through the standard library: a process that asked for none writes none.
structlog.configure(
    processors=[structlog.stdlib.filter_by_level, *_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=False,
)
