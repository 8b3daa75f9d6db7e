"""What the exit codes mean, the same for every command."""

from collections.abc import Mapping
from enum import IntEnum
from types import MappingProxyType
from typing import Final


class ExitCode(IntEnum):
    """How a command ended."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    UNAVAILABLE = 3
    FOUND = 4
    BUG = 5


EXIT_CODES: Final[Mapping[ExitCode, str]] = MappingProxyType(
    {
        ExitCode.DONE: "done",
        ExitCode.REFUSED: "the hub refuses: what was asked for cannot be done as asked, and the message says why",
        ExitCode.USAGE: "wrong call: an option or argument is missing, unknown or malformed",
        ExitCode.UNAVAILABLE: "out of reach: the database or a file system fails; try again",
        ExitCode.FOUND: "found something: `check` a violation, `verify` a fault of the audit log,"
        " `load` and `match` that no row was taken, `load --strict` a row or record that was not",
        ExitCode.BUG: "an error nobody foresaw; MDM_LOG_LEVEL=debug shows where",
    }
)
