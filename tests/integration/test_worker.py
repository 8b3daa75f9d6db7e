"""The worker: each task at its pace, one that fails holds up none of the others, and it ends when told to."""

import threading
from collections import Counter
from pathlib import Path

import pytest

from mdm.hub import Hub, open_hub
from mdm.settings import Settings
from mdm.worker import TASKS, Task, run_once, work

pytestmark = pytest.mark.db


def test_a_task_that_did_something_runs_again_at_once_and_others_wait(database_url: str, tmp_path: Path) -> None:
    calls: Counter[str] = Counter()
    stop = threading.Event()

    def busy(_hub: Hub) -> int:
        calls["busy"] += 1
        return int(calls["busy"] < 3)

    def broken(_hub: Hub) -> int:
        calls["broken"] += 1
        raise ValueError

    def last(_hub: Hub) -> int:
        calls["last"] += 1
        if calls["busy"] == 3:
            stop.set()
        return 1

    tasks = [Task("busy", 60.0, busy), Task("broken", 60.0, broken), Task("last", 60.0, last)]
    with open_hub(Settings(home=tmp_path), database_url) as hub:
        work(hub, stop, tasks)

    assert calls == {"busy": 3, "broken": 1, "last": 3}


def test_nothing_is_due_on_an_empty_hub(database_url: str, tmp_path: Path) -> None:
    with open_hub(Settings(home=tmp_path), database_url) as hub:
        assert [run_once(hub, task) for task in TASKS] == [0] * len(TASKS)
