"""The clock of a backend: it times the stages, keeps what they report, and tells whoever listens."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from matching.bulk import Stage


class StageClock:
    """Time stages one after the other."""

    def __init__(self, on_stage: Callable[[Stage], None] | None) -> None:
        self.stages: list[Stage] = []
        self._on_stage = on_stage

    @contextmanager
    def stage(self, name: str) -> Iterator[list[int]]:
        """Time one stage; the count of what it made is appended to the list given."""
        started, made = time.perf_counter(), list[int]()
        yield made
        done = Stage(name, time.perf_counter() - started, made[-1] if made else 0)
        self.stages.append(done)
        if self._on_stage is not None:
            self._on_stage(done)
