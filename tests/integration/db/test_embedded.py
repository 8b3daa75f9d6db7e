"""The embedded server: who owns it, when it ends, and that it keeps what was committed."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mdm.db import embedded
from mdm.db.binaries import find_binaries
from mdm.db.embedded import embedded_server
from mdm.db.place import SHELTERS, settle
from mdm.errors import DatabaseUnavailable
from tests.databases import ask, execute, postgres_binaries, reachable_folder

pytestmark = pytest.mark.db

ROOT = Path(__file__).parents[3]
# A process that enters the server of a home, prints its URL, and leaves when its input ends. It looks up now and then:
# a signal that comes just before a read that waits for ever would not be heard. It hears interruptions, also
# where a shell runs the tests in the background.
VISITOR = """
import select
import signal
import sys
from pathlib import Path
from mdm.db.embedded import embedded_server
signal.signal(signal.SIGINT, signal.default_int_handler)
with embedded_server(Path(sys.argv[1]), bin_folder=Path(sys.argv[2]) if sys.argv[2] else None, durable=False) as url:
    print(url, flush=True)
    while not select.select([sys.stdin], [], [], 0.1)[0]:
        pass
"""


@contextmanager
def visitor(home: Path) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    """Run a process of its own that enters the server; at the end of the block its input ends, and it leaves."""
    command = [sys.executable, "-c", VISITOR, str(home), str(postgres_binaries() or "")]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as entered:
        assert entered.stdout
        yield entered, entered.stdout.readline().strip()


def server_id(home: Path) -> int:
    return int((home / "postgres/database/postmaster.pid").read_text().splitlines()[0])


def is_running(process_id: int) -> bool:
    """Say whether a process runs; one that has ended and waits to be reaped does not."""
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):  # it may end before its file is opened, or before that is read
        return False
    return state != "Z"


def wait_until_ended(process_id: int) -> None:
    deadline = time.monotonic() + 10
    while is_running(process_id):
        assert time.monotonic() < deadline, f"process {process_id} still runs"
        time.sleep(0.01)


@pytest.fixture(scope="module")
def first_start() -> Iterator[Path]:
    """Give a home whose server was started once; a copy of it saves each test an initdb."""
    with reachable_folder() as folder:
        with hub(folder):
            pass
        yield folder


@pytest.fixture
def home(first_start: Path, reachable_home: Path) -> Path:
    subprocess.run(["cp", "--archive", str(first_start / "postgres"), str(reachable_home)], check=True)
    return reachable_home


@contextmanager
def hub(home: Path) -> Iterator[str]:
    """Enter the server of a home as this process."""
    with embedded_server(home, bin_folder=postgres_binaries(), durable=False) as url:
        yield url


def test_the_server_is_durable_checksummed_and_listens_on_its_socket_only(reachable_home: Path) -> None:
    with embedded_server(reachable_home, bin_folder=postgres_binaries()) as url:
        assert ask(url, "SHOW fsync") == "on"
        assert ask(url, "SHOW data_checksums") == "on"
        assert ask(url, "SHOW listen_addresses") == ""
        assert ask(url, "SHOW server_encoding") == "UTF8"
        assert ask(url, "SELECT upper('ä') || ('Z' < 'a')::text") == "Ätrue"

    assert (reachable_home / "postgres").stat().st_mode & 0o777 == 0o700


def test_stop_and_start_again_keeps_the_rows(home: Path) -> None:
    with hub(home) as url:
        execute(url, "CREATE TABLE kept AS VALUES (42)")

    with hub(home) as url:
        assert ask(url, "SELECT column1 FROM kept") == 42


def test_a_second_process_attaches_and_leaves_the_server_running(home: Path) -> None:
    with hub(home) as url:
        with visitor(home) as (_, attached):
            assert attached == url

        assert ask(url, "SELECT 1") == 1


def test_a_second_entry_of_the_same_process_attaches(home: Path) -> None:
    with hub(home) as outer, hub(home) as inner:
        assert inner == outer


def test_an_owner_that_ends_in_order_waits_for_its_guests(home: Path) -> None:
    with visitor(home) as (owner, url), hub(home) as attached:
        assert attached == url
        assert owner.stdin
        owner.stdin.close()

        with pytest.raises(subprocess.TimeoutExpired):
            owner.wait(0.3)
        assert ask(url, "SELECT 1") == 1
        assert owner.stderr
        assert "waiting for other commands" in owner.stderr.readline()


def test_an_interrupted_owner_waits_for_nobody(home: Path) -> None:
    with visitor(home) as (owner, _), hub(home):
        server = server_id(home)
        owner.send_signal(signal.SIGINT)

        wait_until_ended(server)


def test_killing_the_owner_leaves_no_server_and_loses_nothing(home: Path) -> None:
    with visitor(home) as (owner, url):
        execute(url, "CREATE TABLE kept AS VALUES (42)")
        server = server_id(home)

        owner.kill()
        owner.wait()
        with hub(home) as again:
            assert ask(again, "SELECT column1 FROM kept") == 42
            wait_until_ended(server)
            assert server_id(home) != server


def test_without_a_new_owner_the_server_still_ends_with_its_owner(home: Path) -> None:
    with visitor(home) as (owner, _):
        server = server_id(home)

        owner.kill()
        wait_until_ended(server)


LAUNCHING = """
import signal
import sys
import time
from pathlib import Path
from mdm.db.embedded import _launch
from mdm.db.place import SHELTERS, settle
signal.signal(signal.SIGINT, signal.SIG_IGN)
print(_launch(settle(Path(sys.argv[1]), SHELTERS), ["/bin/sleep", "60"]).pid, flush=True)
time.sleep(60)
"""


def test_a_program_ends_with_an_owner_that_ignores_interruptions(reachable_home: Path) -> None:
    # As one that a shell started in the background: the program may be told before it listens to signals itself.
    command = [sys.executable, "-c", LAUNCHING, str(reachable_home)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as owner:
        assert owner.stdout
        program = int(owner.stdout.readline())
        while Path(f"/proc/{program}/comm").read_text().strip() != "sleep":
            time.sleep(0.01)
        owner.kill()
        wait_until_ended(program)


def test_killing_the_server_itself_loses_nothing(home: Path) -> None:
    with visitor(home) as (owner, url):
        execute(url, "CREATE TABLE kept AS VALUES (42)")
        server = server_id(home)
        subprocess.run(["kill", "-9", str(server), str(owner.pid)], check=True)

    with hub(home) as again:
        assert ask(again, "SELECT column1 FROM kept") == 42


def test_the_server_of_an_owner_that_was_killed_at_its_start_is_waited_for(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with embedded_server(home, bin_folder=postgres_binaries(), durable=False):
        pass
    place = settle(home, SHELTERS)
    binaries = find_binaries(named=postgres_binaries(), major=None, account=place.account)
    options = ["-c", "listen_addresses=", "-c", f"unix_socket_directories={place.folder}"]
    late = embedded._launch(place, [str(binaries.folder / "postgres"), "-D", str(place.database_folder), *options])
    while not (place.database_folder / "postmaster.pid").exists():
        time.sleep(0.01)
    threading.Timer(1.0, late.send_signal, [signal.SIGINT]).start()
    monkeypatch.setattr(embedded, "_stop_orphan", lambda _: None)  # it came after the look

    with embedded_server(home, bin_folder=postgres_binaries(), durable=False) as url:
        assert ask(url, "SELECT 1") == 1
        late.wait(10)


def test_an_initdb_that_outlived_its_owner_is_in_nobodys_way(reachable_home: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", VISITOR, str(reachable_home), str(postgres_binaries() or "")],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
    ) as owner:
        (late,) = folders_in_the_making(reachable_home)
        # A child that it has just forked looks like initdb itself until it becomes another program.
        initdb = min(int(one.name) for one in Path("/proc").glob("[0-9]*") if is_initdb_of(one, late))
        os.kill(initdb, signal.SIGSTOP)
        owner.kill()
    begun = version_at(late)

    def go_on() -> None:
        while all(version_at(one) <= begun for one in folders_in_the_making(reachable_home)):
            time.sleep(0.001)
        os.kill(initdb, signal.SIGCONT)

    waiting = threading.Thread(target=go_on)
    waiting.start()
    with hub(reachable_home) as url:
        waiting.join()
        assert ask(url, "SELECT 1") == 1
    wait_until_ended(initdb)
    with hub(reachable_home) as url:
        assert ask(url, "SELECT 1") == 1
    assert not list(reachable_home.glob("postgres/database*partial"))


def folders_in_the_making(home: Path) -> list[Path]:
    """Wait until initdb has begun to fill a folder."""
    while not (found := [one.parent for one in home.glob("postgres/database*partial/PG_VERSION")]):
        time.sleep(0.001)
    return found


def version_at(folder: Path) -> int:
    """Tell when initdb began to fill a folder, 0 where it is gone."""
    try:
        return (folder / "PG_VERSION").stat().st_ctime_ns
    except FileNotFoundError:
        return 0


def is_initdb_of(running: Path, folder: Path) -> bool:
    try:
        asked = (running / "cmdline").read_bytes().decode().split("\0")
    except OSError:
        return False
    return asked[0].endswith("/initdb") and f"--pgdata={folder}" in asked


def test_a_stranger_with_the_number_of_a_dead_server_is_left_alone(home: Path) -> None:
    with hub(home):
        left_behind = [home / "postgres/database/postmaster.pid", home / "postgres/.s.PGSQL.5432.lock"]
        texts = [path.read_text() for path in left_behind]
    owner = (home / "postgres").stat()
    with subprocess.Popen(["sleep", "60"], user=owner.st_uid, group=owner.st_gid) as stranger:
        for path, text in zip(left_behind, texts, strict=True):
            path.write_text("\n".join([str(stranger.pid), *text.splitlines()[1:], ""]))

        with hub(home) as url:
            assert ask(url, "SELECT 1") == 1

        assert stranger.poll() is None
        stranger.terminate()


def test_the_server_outlives_the_thread_that_asked_for_it(home: Path) -> None:
    server = hub(home)
    urls: list[str] = []
    thread = threading.Thread(target=lambda: urls.append(server.__enter__()))
    thread.start()
    thread.join()

    time.sleep(0.1)

    assert ask(urls[0], "SELECT 1") == 1
    server.__exit__(None, None, None)


def test_the_socket_of_a_deep_home_stays_within_the_limit(home: Path) -> None:
    deep = home / ("a" * 60) / ("b" * 60)

    with hub(deep) as url:
        assert ask(url, "SELECT 1") == 1
        folder = str(ask(url, "SHOW unix_socket_directories"))
        assert folder.startswith("/tmp/mdm-")

    assert not Path(folder).exists()


def test_what_an_interrupted_first_start_left_is_replaced(home: Path) -> None:
    (home / "postgres/database").rename(home / "postgres/database.partial")

    with hub(home) as url:
        assert ask(url, "SELECT 1") == 1


def test_a_server_that_does_not_start_is_reported_with_the_end_of_its_log(home: Path) -> None:
    with (home / "postgres/database/postgresql.conf").open("a") as configuration:
        configuration.write("no_such_setting = 1\n")

    with pytest.raises(DatabaseUnavailable, match="no_such_setting"), hub(home):
        pass


def test_errors_of_the_block_come_out_as_they_are(home: Path) -> None:
    with pytest.raises(FileNotFoundError, match="mine"), hub(home):
        raise FileNotFoundError("mine")
