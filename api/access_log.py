"""One line a request. As JSON it is written directly: through structlog the same line takes 34 µs in place of 2."""

import sys
from collections.abc import Callable
from typing import Any, Final

import orjson

from mdm import clock
from mdm.settings import Settings
from mdm.telemetry import logger

Write = Callable[[dict[str, Any]], None]

_LOG: Final = logger("mdm.http")


def access_log(settings: Settings) -> Write:
    """Choose how requests are logged: not at all above level info, as JSON, or in colours for people."""
    if settings.log_level in {"warning", "error"}:
        return lambda _: None
    return _write_json if settings.log_format == "json" else _write_console


def _write_json(fields: dict[str, Any]) -> None:
    line = fields | {"event": "request", "logger": "mdm.http", "level": "info", "timestamp": clock.now()}
    sys.stderr.write(orjson.dumps(line, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE).decode())


def _write_console(fields: dict[str, Any]) -> None:
    _LOG.info("request", **fields)
