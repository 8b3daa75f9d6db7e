"""The journal of a fake: every request it received, in order, and what came of it.

It is what tests prove order, repeats and completeness with; the newest requests are kept.
"""

import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

JOURNAL_ENTRIES_MAX: Final = 1_000_000  # chosen: a soak of 100,000 messages with repeats, some 500 bytes each


@dataclass(frozen=True, slots=True)
class Entry:
    """One request.

    number       rises by one with every request
    key          idempotency key; empty where none came
    by           whose API key it was; empty for a wrong one
    effect       created, changed, unchanged, known, repeated or merged; empty where nothing was to be done or it failed
    changed      fields that became other than before, with their new values
    status       of the answer that was meant; a fault may have spoilt it
    fault        name of the fault that acted
    """

    number: int
    at: datetime
    request_id: str
    key: str
    by: str
    method: str
    object: str
    scope: str = ""
    native_id: str = ""
    external_id: str = ""
    effect: str = ""
    changed: Mapping[str, Any] = field(default_factory=dict)
    version: int = 0
    status: int = 0
    fault: str = ""

    @property
    def is_write(self) -> bool:
        """Tell whether the request was to change something."""
        return self.method != "GET"

    @property
    def has_written(self) -> bool:
        """Tell whether the request changed a record."""
        return self.effect in {"created", "changed", "merged"}


class Journal:
    """The requests of one fake."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=JOURNAL_ENTRIES_MAX)
        self._count = 0

    def next_number(self) -> int:
        """Count one more request."""
        with self._lock:
            self._count += 1
            return self._count

    def add(self, entry: Entry) -> None:
        """Keep a request."""
        with self._lock:
            self._entries.append(entry)

    def entries(self) -> tuple[Entry, ...]:
        """Return all that is kept, oldest first."""
        with self._lock:
            return tuple(self._entries)

    def writes(self, object_: str = "", native_id: str = "") -> tuple[Entry, ...]:
        """Return the requests that changed something: all, of one object, or of one record."""
        return tuple(
            entry
            for entry in self.entries()
            if entry.has_written
            and (not object_ or entry.object == object_)
            and (not native_id or entry.native_id == native_id)
        )

    def clear(self) -> None:
        """Forget what came so far; numbers go on."""
        with self._lock:
            self._entries.clear()
