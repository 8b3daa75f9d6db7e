"""The clock of a run: it times the stages one after the other, keeps what they report, and tells whoever listens."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stage:
    """Report one stage: seconds taken and the count of what it made."""

    name: str
    seconds: float
    count: int


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
