"""`mdm --help` must feel instant: at most 150 ms, the median of 20 starts, beside an empty Python."""

import subprocess
import sys
import time
from pathlib import Path
from statistics import median

from harness import Line, show, takes_no_options

STARTS = 20


def milliseconds(command: list[str]) -> float:
    """Give the median time of a command from start to end."""
    taken = []
    for _ in range(STARTS):
        begun = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        taken.append((time.perf_counter() - begun) * 1_000)
    return median(taken)


def main() -> None:
    """Measure and print."""
    takes_no_options(__doc__)
    mdm = str(Path(sys.executable).parent / "mdm")
    floor, help_page = milliseconds([sys.executable, "-c", "pass"]), milliseconds([mdm, "--help"])
    show(
        "Command line",
        [
            Line("python -c pass", floor, "ms"),
            Line("mdm --help", help_page, "ms", 150),
            Line("mdm --help, times an empty Python", help_page / floor, "times"),
        ],
    )


if __name__ == "__main__":
    main()
