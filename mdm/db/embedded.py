"""A real PostgreSQL that lives as long as the process that owns it.

The first process of a home owns the server: it holds a lock on the server's folder and PostgreSQL is its child, which
the kernel stops when the owner dies, kill -9 included. Other processes of the same home attach through the socket as
guests; an owner that ends in order waits for them. The server listens on a Unix socket in a folder of mode 0700 only.
Promised: stop and start again keep everything committed; the death of the owner leaves no server behind (on Linux at
once, elsewhere at the next start).
"""

import fcntl
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from queue import SimpleQueue
from shutil import rmtree
from urllib.parse import quote

from mdm.db import launcher
from mdm.db.binaries import Binaries, find_binaries
from mdm.db.place import SHELTERS, SOCKET_NAME, Place, settle, socket_folder
from mdm.errors import DatabaseUnavailable

ROLE = "mdm"
STATE = "postmaster.pid"
START_S_MAX = 120.0  # chosen: recovery after a crash replays at most max_wal_size, 1 GB
STOP_S_MAX = 60.0  # chosen: a fast shutdown writes one checkpoint
END_S_MAX = 1.0  # chosen: a server that has closed its socket ends within milliseconds
PAUSE_S = 0.005  # chosen: a start takes 30 ms, so this adds a tenth at most
RETRY_PAUSE_S = 0.1
LOG_LINES = 12
# PostgreSQL's words when sessions of a killed server have not all ended yet, and when the server of an owner that was
# killed at its start came up just after nobody had been found, and is about to end.
STILL_DYING = ("pre-existing shared memory block", 'lock file "postmaster.pid" already exists')

SETTINGS: Mapping[str, str] = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    # 100 x 256 locks: room for 50 transactions with the 500 advisory locks that one may take.
    "max_locks_per_transaction": "256",
    # A forgotten transaction holds back vacuum and the change feed's horizon.
    "idle_in_transaction_session_timeout": "30s",
    # Two writers that wait for each other are rare and repeat by themselves; the default would hold both for a second.
    "deadlock_timeout": "100ms",
    # Look-ups are short; compiling their plans costs more than running them.
    "jit": "off",
    "random_page_cost": "1.1",
    "shared_buffers": "128MB",
    "work_mem": "16MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
}
# For tests only: a crash of the machine may destroy the files; a kill still loses nothing.
CARELESS: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off"}

_PARTIAL = ".partial"  # ends the name of a folder in which initdb works

log = logging.getLogger(__name__)


@contextmanager
def embedded_server(
    home: Path, *, bin_folder: Path | None = None, durable: bool = True, shelters: tuple[Path, ...] = SHELTERS
) -> Iterator[str]:
    """Give the URL of the server of this home, as its owner or as a guest of the process that owns it."""
    with ExitStack() as held:
        with _world_failing(home):
            place = settle(home, shelters)
            lock, is_owner = _own_or_attach(place)
            held.callback(os.close, lock)
            if is_owner:
                _stop_orphan(place)
                binaries = find_binaries(
                    named=bin_folder, major=_major(place), account=place.account, shelters=shelters
                )
                _initialise(place, binaries, durable=durable)
                door = os.open(place.database_folder, os.O_RDONLY | os.O_DIRECTORY)
                held.callback(os.close, door)
                held.callback(_remove_short_folder, place)
                held.callback(_stop, _start(place, binaries, durable=durable))
                held.push(lambda kind, _error, _traceback: _lock_out_guests(door, kind))
            url = _url(place)
        yield url


@contextmanager
def _world_failing(home: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DatabaseUnavailable(
            f"the embedded PostgreSQL of {home} cannot be started: {error}",
            remedy="set MDM_HOME to a folder that you may write, or MDM_DATABASE_URL to a server",
        ) from error


def _own_or_attach(place: Place) -> tuple[int, bool]:
    """Lock the server as its owner (True) or as a guest (False); give the descriptor that holds the lock."""
    deadline = time.monotonic() + START_S_MAX
    while time.monotonic() < deadline:
        if (owned := _try_lock(place.folder, fcntl.LOCK_EX)) is not None:
            return owned, True
        # A guest locks before it looks: an owner that has locked out guests may stop the server.
        if (attached := _try_lock(place.database_folder, fcntl.LOCK_SH)) is not None:
            if _is_ready(place):
                return attached, False
            os.close(attached)
        time.sleep(PAUSE_S)
    raise DatabaseUnavailable(
        f"another process owns {place.folder}, but its server does not answer",
        remedy=f"stop that process, and look at {place.log}",
        retry_after_s=1.0,
    )


def _try_lock(folder: Path, mode: int) -> int | None:
    """Lock a folder until its descriptor is closed or the process ends; None when it is absent or locked."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _lock_out_guests(door: int, kind: type[BaseException] | None) -> None:
    """Wait until no guest is left, then let none in; an interruption waits for nobody."""
    if kind is not None and issubclass(kind, KeyboardInterrupt | GeneratorExit):
        return
    try:
        fcntl.flock(door, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.warning("done; waiting for other commands that use this database (Ctrl-C ends it for them too)")
        fcntl.flock(door, fcntl.LOCK_EX)


def _major(place: Place) -> int | None:
    try:
        return int((place.database_folder / "PG_VERSION").read_text(encoding="ascii"))
    except FileNotFoundError:
        return None


def _initialise(place: Place, binaries: Binaries, *, durable: bool) -> None:
    """Make the database's files, all or none of them, in a folder of this start's own.

    The initdb of an owner that was killed removes its folder before it ends, a while after the owner's lock is free.
    """
    for left in place.folder.glob(f"{place.database_folder.name}*{_PARTIAL}"):
        rmtree(left, ignore_errors=True)
    if place.database_folder.exists():
        return
    partial = place.folder / f"{place.database_folder.name}.{os.urandom(4).hex()}{_PARTIAL}"
    # The builtin provider needs no locale of the system; before 17 every Debian has C.UTF-8.
    locale = ["--locale=C.UTF-8"]
    if binaries.major >= 17:
        locale = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C"]
    # Who may enter the folder of the socket may connect; there is no other way in.
    access = [f"--username={ROLE}", "--auth-local=trust", "--auth-host=reject"]
    options = [f"--pgdata={partial}", "--encoding=UTF8", "--data-checksums", *locale, *access]
    initdb = _launch(place, [str(binaries.folder / "initdb"), *options, *([] if durable else ["--no-sync"])])
    if initdb.wait() != 0:
        raise _failure(place, "initdb failed")
    partial.rename(place.database_folder)


def _start(place: Place, binaries: Binaries, *, durable: bool) -> "subprocess.Popen[bytes]":
    """Start the server and wait until it accepts connections."""
    settings = {**SETTINGS, "unix_socket_directories": str(socket_folder(place)), **({} if durable else CARELESS)}
    options = [option for name, value in settings.items() for option in ("-c", f"{name}={value}")]
    command = [str(binaries.folder / "postgres"), "-D", str(place.database_folder), *options]
    deadline = time.monotonic() + START_S_MAX
    server = _launch(place, command)
    while not _is_ready(place, server.pid):
        if server.poll() is not None:
            failure = _failure(place, f"PostgreSQL {binaries.major} ended at its start")
            if not any(words in failure.message for words in STILL_DYING) or time.monotonic() > deadline:
                raise failure
            time.sleep(RETRY_PAUSE_S)
            server = _launch(place, command)
        elif time.monotonic() > deadline:
            _stop(server)
            raise _failure(place, f"PostgreSQL was not ready within {START_S_MAX:.0f} s")
        time.sleep(PAUSE_S)
    return server


def _launch(place: Place, command: Sequence[str]) -> "subprocess.Popen[bytes]":
    """Start a program as the account of the place, to end with this process.

    The kernel's signal is sent when the *thread* that forked ends, so a thread forks that lives as long as the program.
    """
    account = place.account
    launch = [sys.executable, "-I", "-S", launcher.__file__, str(account.uid), str(account.gid), str(os.getpid())]
    born: SimpleQueue[subprocess.Popen[bytes] | OSError] = SimpleQueue()

    def keep() -> None:
        try:
            program = subprocess.Popen(  # noqa: S603 -- our own launcher, no shell
                [*launch, str(place.log), *command],
                cwd="/",
                env={"LC_ALL": "C", "PATH": os.defpath},
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                umask=0o077,
            )
        except OSError as error:
            born.put(error)
            return
        born.put(program)
        program.wait()

    threading.Thread(target=keep, name="embedded-postgres", daemon=True).start()
    program = born.get()
    if isinstance(program, OSError):
        raise program
    return program


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """Shut the server down, cutting its connections, with a checkpoint; without one when that takes too long."""
    server.send_signal(signal.SIGINT)
    try:
        server.wait(STOP_S_MAX)
    except subprocess.TimeoutExpired:
        server.send_signal(signal.SIGQUIT)
        server.wait()


def _remove_short_folder(place: Place) -> None:
    folder = socket_folder(place)
    if folder != place.folder:
        folder.rmdir()


def _stop_orphan(place: Place) -> None:
    """Stop a server that outlived its owner; whoever holds the owner's lock knows that it has none."""
    state = _postmaster(place)
    if not state:
        return
    process_id = int(state[0])
    deadline = time.monotonic() + STOP_S_MAX
    while _answers(state):
        if time.monotonic() > deadline:
            raise _failure(place, f"PostgreSQL (process {process_id}) has no owner and does not stop")
        with suppress(ProcessLookupError):
            os.kill(process_id, signal.SIGINT)
        time.sleep(PAUSE_S)
    deadline = time.monotonic() + END_S_MAX
    while _is_alive(process_id) and (place.database_folder / STATE).exists():
        if time.monotonic() > deadline:
            _disown(place.database_folder / STATE)
            _disown(Path(state[4], f"{SOCKET_NAME}.lock"))
            return
        time.sleep(PAUSE_S)


def _disown(lock_file: Path) -> None:
    """Put our own number in place of a dead server's that a stranger or a zombie has, as in a container started anew.

    PostgreSQL would take that for a running server, but knows that its parent is none; deleting the file instead would
    also lift the guard against sessions that outlived the server.
    """
    with suppress(FileNotFoundError):
        lines = lock_file.read_text(encoding="utf-8").splitlines()
        descriptor = os.open(lock_file, os.O_WRONLY | os.O_TRUNC | os.O_NOFOLLOW)
        with os.fdopen(descriptor, "w", encoding="utf-8") as rewritten:
            rewritten.write("\n".join([str(os.getpid()), *lines[1:], ""]))


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _postmaster(place: Place) -> list[str]:
    """Read what a server that got as far as its socket says of itself, else nothing.

    The lines of postmaster.pid: process id, folder, start, port, folder of the socket, address, memory, status.
    """
    try:
        lines = (place.database_folder / STATE).read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        return []
    return lines if len(lines) >= 8 else []


def _answers(state: Sequence[str]) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(f"{state[4]}/{SOCKET_NAME}")
        except (FileNotFoundError, ConnectionRefusedError):
            return False
    return True


def _is_ready(place: Place, process_id: int | None = None) -> bool:
    state = _postmaster(place)
    return bool(state) and state[7].strip() == "ready" and process_id in {None, int(state[0])}


def _url(place: Place) -> str:
    state = _postmaster(place)
    return f"postgresql+psycopg://{ROLE}@/postgres?host={quote(state[4], safe='')}"


def _failure(place: Place, what: str) -> DatabaseUnavailable:
    """Say what failed with the last lines of the server's log."""
    lines = place.log.read_text(encoding="utf-8", errors="replace").splitlines() if place.log.exists() else []
    return DatabaseUnavailable(
        f"{what}; {place.log} ends:\n" + "\n".join(lines[-LOG_LINES:]),
        remedy="mend what the log names, or set MDM_DATABASE_URL to another server",
    )
