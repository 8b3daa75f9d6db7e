"""What the benchmarks share: a table with targets, a running server, the processor time of a process."""

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MDM = (sys.executable, "-c", "from mdm.cli.main import app; app()")
START_S_MAX = 60.0
TICKS_PER_S = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Line:
    """One figure of a benchmark; `target` is an upper bound where `at_most`, else a lower one; None: no budget."""

    name: str
    value: float
    unit: str
    target: float | None = None
    at_most: bool = True

    @property
    def verdict(self) -> str:
        """Say whether the budget holds."""
        if self.target is None:
            return ""
        return "holds" if (self.value <= self.target) is self.at_most else "MISSED"


def takes_no_options(about: str | None) -> None:
    """Answer `--help` of a benchmark that is only run as it is, and refuse any other word."""
    argparse.ArgumentParser(description=about).parse_args()


def show(title: str, lines: Sequence[Line]) -> None:
    """Print figures with their budgets, and how busy the machine was: on a busy one only ratios are to be trusted."""
    print(f"{title}   (load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors)")
    for line in lines:
        budget = "" if line.target is None else f"{'≤' if line.at_most else '≥'} {line.target:g}"
        print(f"  {line.name:<52}{line.value:>12,.2f} {line.unit:<14}{budget:>10}  {line.verdict}")


@contextmanager
def hub_home() -> Iterator[Path]:
    """Give a new home that the embedded server's account can enter."""
    with tempfile.TemporaryDirectory(prefix="mdm-bench-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"


@contextmanager
def serving(home: Path) -> Iterator[tuple[subprocess.Popen[str], str, str]]:
    """Run `mdm serve` on a free port; give process, address and the token of an administrator."""
    home.mkdir(parents=True, exist_ok=True)
    said = home.parent / "said.txt"
    environment = {**os.environ, "MDM_HOME": str(home)}
    with said.open("w", encoding="utf-8") as file:
        server = subprocess.Popen(
            [*MDM, "serve", "--port", "0", "--no-worker"], env=environment, stderr=file, text=True
        )
    try:
        deadline = time.monotonic() + START_S_MAX
        while not (token := re.search(r"mdm_[\w-]+", text := said.read_text(encoding="utf-8"))):
            if time.monotonic() > deadline or server.poll() is not None:
                raise SystemExit(f"the server did not start:\n{text}")
            time.sleep(0.05)
        address = re.findall(r"http://([\d.]+:\d+)", text)[0]
        while not answers(address) and time.monotonic() < deadline:
            time.sleep(0.05)
        yield server, address, token[0]
    finally:
        if server.poll() is None:
            server.send_signal(signal.SIGTERM)
        server.wait(START_S_MAX)


def answers(address: str) -> bool:
    """Tell whether anybody listens at host:port."""
    host, _, port = address.partition(":")
    try:
        socket.create_connection((host, int(port))).close()
    except OSError:
        return False
    return True


def cpu_s(process_id: int) -> float:
    """Read the seconds of processor time, user and system, that a process and its threads have used."""
    fields = Path(f"/proc/{process_id}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


def postgres_s(home: Path) -> float:
    """Read the processor time of the embedded server: of its first process, those that ended, and those that run."""
    first = int(next(home.rglob("postmaster.pid")).read_text(encoding="ascii").splitlines()[0])
    fields = Path(f"/proc/{first}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    ended = (int(fields[13]) + int(fields[14])) / TICKS_PER_S
    children = Path(f"/proc/{first}/task/{first}/children").read_text(encoding="ascii").split()
    return cpu_s(first) + ended + sum(cpu_s(int(child)) for child in children)
