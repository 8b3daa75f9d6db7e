"""How long `mdm --help` takes, against its budget of 150 ms: the whole process, as a shell sees it."""

import statistics
import subprocess
import sys
import time

ROUNDS = 20
BUDGET_MS = 150.0


def once() -> float:
    """Start `mdm --help` in a new process; return milliseconds."""
    started = time.perf_counter()
    command = [sys.executable, "-c", "from mdm.cli.main import app; app()", "--help"]
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
    return (time.perf_counter() - started) * 1_000


def main() -> int:
    """Print the median and the slowest of several rounds; 1 when the median is over the budget."""
    once()  # fills the caches of the file system
    took = sorted(once() for _ in range(ROUNDS))
    median = statistics.median(took)
    print(f"mdm --help: median {median:.0f} ms, slowest {took[-1]:.0f} ms of {ROUNDS}; budget {BUDGET_MS:.0f} ms")
    return int(median > BUDGET_MS)


if __name__ == "__main__":
    sys.exit(main())
