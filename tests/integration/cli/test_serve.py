"""`mdm serve` owns the embedded database: others attach to it meanwhile, and SIGTERM leaves nothing behind."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2 as httpx
import pytest

MDM = (sys.executable, "-c", "from mdm.cli.main import app; app()")
START_S_MAX = 60.0  # chosen: the first start makes the database, on a busy machine


def environment(home: Path) -> dict[str, str]:
    return {**os.environ, "MDM_HOME": str(home)}


@contextmanager
def running(home: Path, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Start a command that stays, give what it said until it was ready, and stop it."""
    log = home.parent / "said.txt"
    with log.open("w", encoding="utf-8") as file:
        started = subprocess.Popen([*MDM, *arguments], env=environment(home), stderr=file, text=True)
        try:
            yield started, _said(log, started)
        finally:
            if started.poll() is None:
                started.send_signal(signal.SIGTERM)
            started.wait(START_S_MAX)


def _said(log: Path, started: subprocess.Popen[str]) -> str:
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline and started.poll() is None:
        said = log.read_text(encoding="utf-8")
        if "shown this once" in said or "working:" in said:
            return said
        time.sleep(0.05)
    pytest.fail(f"did not start: {log.read_text(encoding='utf-8')}")


def answer(url: str, token: str) -> httpx.Response:
    """Ask until the server listens."""
    deadline = time.monotonic() + START_S_MAX
    while True:
        try:
            return httpx.get(url, headers={"Authorization": f"Bearer {token}"})
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.mark.db
def test_a_load_beside_the_server_is_seen_by_it_and_sigterm_ends_all(reachable_home: Path, tmp_path: Path) -> None:
    (tmp_path / "clients.csv").write_text("id,name,website\n1,Contoso Ltd,contoso.com\n", encoding="utf-8")
    load = ["load", str(tmp_path / "clients.csv"), "-s", "crm-one", "-e", "customer", "--create-source", "crm"]

    with running(reachable_home / "home", "serve", "--port", "0") as (started, said):
        address = re.findall(r"http://[\d.]+:\d+", said)[0]
        token = re.findall(r"mdm_[\w-]+", said)[0]
        loaded = subprocess.run([*MDM, *load], env=environment(reachable_home / "home"), check=False)
        invited = subprocess.run(
            [*MDM, "people", "add", "anna", "--name", "Anna"],
            env=environment(reachable_home / "home"),
            check=False,
            capture_output=True,
            text=True,
        )
        found = answer(f"{address}/v1/crosswalk?source=crm-one&source_key=1", token)
        started.send_signal(signal.SIGTERM)
        code = started.wait(START_S_MAX)

    assert re.findall(
        r"Open the console as its first administrator, good once within 24 hours: (\S+)/sign-in/link/[\w-]{43}\n", said
    ) == [address]
    assert loaded.returncode == 0
    assert invited.stdout.startswith(f"{address}/sign-in/link/"), "a link leads to where the server listens"
    assert found.json().get("answer") == "one", found.text
    assert code == 0
    assert list((reachable_home / "home").rglob("postmaster.pid")) == []


@pytest.mark.db
def test_a_port_in_use_is_told_before_anything_starts(reachable_home: Path) -> None:
    with running(reachable_home / "home", "serve", "--port", "0", "--no-worker") as (_, said):
        port = re.findall(r"http://[\d.]+:(\d+)", said)[0]
        second = subprocess.run(
            [*MDM, "serve", "--port", port],
            env=environment(reachable_home / "home"),
            check=False,
            capture_output=True,
            text=True,
        )

    assert second.returncode == 3
    assert f"cannot listen on 127.0.0.1 port {port}" in second.stderr


@pytest.mark.db
def test_a_worker_ends_in_order_on_sigterm(reachable_home: Path) -> None:
    with running(reachable_home / "home", "worker") as (started, _):
        started.send_signal(signal.SIGTERM)
        code = started.wait(START_S_MAX)

    assert code == 0


@pytest.mark.db
def test_a_worker_tells_its_own_counters(reachable_home: Path) -> None:
    """Deliveries are counted where they are made: without this nobody could scrape what `deploy/alerts.yaml` asks."""
    with running(reachable_home / "home", "worker", "--metrics-port", "0") as (_, said):
        address = re.findall(r"http://[\d.]+:\d+/metrics", said)[0]

        told = answer(address, "none").text

    assert "# TYPE mdm_delivery_seconds histogram" in told
    assert "# TYPE mdm_echoes_total counter" in told
