"""What a process loaded is spared by the garbage collector, once when a hub is open and once more when a server is."""

import subprocess
import sys

SCRIPT = """
import gc
from mdm.memory import spare_what_stays
spare_what_stays("a hub is open")
first = gc.get_freeze_count()
routes = [[] for _ in range(1_000)]
spare_what_stays("a server is loaded")
second = gc.get_freeze_count()
records = [[] for _ in range(1_000)]
spare_what_stays("a server is loaded")
print(first > 0, second >= first + 1_000, gc.get_freeze_count() == second)
"""


def test_each_occasion_spares_what_was_loaded_by_then_and_only_once() -> None:
    found = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)

    assert found.stdout.split() == ["True", "True", "True"]
