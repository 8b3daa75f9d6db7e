"""`mdm serve`: answer over HTTP."""

from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path

    from mdm.hub import Hub
    from mdm.settings import Settings

_ADDRESS_FILE: Final = "served-at"  # in the home, while a server runs: where it listens
_REACH_S: Final = 0.5  # chosen: a server on this machine answers at once


def serve(
    port: Annotated[int | None, typer.Option(min=0, max=65_535, help="Port; 0 takes a free one.")] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on.")] = None,
    worker: Annotated[bool, typer.Option(help="Do background work in this process too.")] = True,
) -> None:
    """Serve the HTTP interface, the owner of the embedded database.

    The first time the API key of an administrator is printed; as long as there is nobody, the link of the first one.
    """
    from mdm.cli.session import session

    with session() as hub:
        run_server(hub, port=port, host=host, with_worker=worker)


def run_server(hub: "Hub", *, port: int | None = None, host: str | None = None, with_worker: bool = True) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    import signal

    import uvicorn

    from mdm.cli.output import tell

    listening = _listen(host or hub.settings.http_host, hub.settings.http_port if port is None else port)
    address = f"http://{_spelled(listening)}"
    first_token = _first_token(hub)
    first_link = _first_link(hub, address)
    with ExitStack() as running:
        running.enter_context(listening)
        running.callback(_note_address(hub.settings.home, address))
        if with_worker:
            running.callback(_start_worker(hub))
        tell(f"Serving {address}, documentation at {address}/docs; Ctrl-C ends it.")
        if first_token:
            tell(f"API key of an administrator, shown this once: {first_token}")
        if first_link:
            tell(f"Open the console as its first administrator, good once within 24 hours: {first_link}")
        server = uvicorn.Server(
            uvicorn.Config("api.app:create_app", factory=True, log_config=None, access_log=False, lifespan="on")
        )

        def end(_number: int, _frame: object) -> None:
            server.should_exit = True

        # uvicorn raises the signal again once it has stopped; ended there, nobody would stop worker and database.
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, end)
        server.run(sockets=[listening])
    tell("Stopped.")


def _listen(host: str, port: int) -> "socket.socket":
    """Take the port before anything starts; raises Unavailable when somebody else has it."""
    import socket

    from mdm.errors import Unavailable

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen()  # Linux lets two bind one port until one of them listens
    except OSError as error:
        listening.close()
        raise Unavailable(
            f"cannot listen on {host} port {port}: {error.strerror}",
            remedy="name another one with --port, 0 takes a free one",
        ) from error
    return listening


def _spelled(listening: "socket.socket") -> str:
    host, port, *_ = listening.getsockname()
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _first_token(hub: "Hub") -> str | None:
    """Make an admin key when there is no key at all, and give its token."""
    from mdm.access.service import create_key, list_keys
    from mdm.cli.session import who
    from mdm.db.transaction import run

    if run(hub.engine, list_keys):
        return None
    return run(hub.engine, lambda c: create_key(c, name="administrator", scopes=["admin"], by=who())).token


def _first_link(hub: "Hub", address: str) -> str | None:
    """Make the link of the first administrator while there is nobody, and give its address."""
    from mdm.access.people import first_admin_link
    from mdm.cli.session import who
    from mdm.db.transaction import run

    made = run(hub.engine, lambda connection: first_admin_link(connection, by=who()))
    return (hub.settings.public_url or address) + made.path if made else None


def _note_address(home: "Path", address: str) -> "Callable[[], None]":
    """Write down where this server listens, for commands that print links; give what takes the note away again."""
    from contextlib import suppress

    note = home / _ADDRESS_FILE

    def end() -> None:
        with suppress(OSError):
            if note.read_text(encoding="utf-8") == address:
                note.unlink()

    with suppress(OSError):  # a home that cannot be written to keeps no note, and the server runs all the same
        home.mkdir(parents=True, exist_ok=True)
        note.write_text(address, encoding="utf-8")
    return end


def public_address(settings: "Settings") -> str:
    """Return where people reach the console: of the server that runs, else of one that runs with these settings."""
    if settings.public_url:
        return settings.public_url
    host = f"[{settings.http_host}]" if ":" in settings.http_host else settings.http_host
    return _noted_address(settings.home) or f"http://{host}:{settings.http_port}"


def _noted_address(home: "Path") -> str | None:
    """Give the address that a server wrote down, if one still listens there."""
    import socket
    from contextlib import suppress
    from urllib.parse import urlsplit

    with suppress(OSError, ValueError):
        address = (home / _ADDRESS_FILE).read_text(encoding="utf-8")
        place = urlsplit(address)
        socket.create_connection((place.hostname, place.port), timeout=_REACH_S).close()
        return address
    return None


def _start_worker(hub: "Hub") -> "Callable[[], None]":
    import threading

    from mdm.worker import work

    stop = threading.Event()
    thread = threading.Thread(target=work, args=(hub, stop), name="worker")
    thread.start()

    def end() -> None:
        stop.set()
        thread.join()

    return end
