"""The relays of a process: a thread for every target that runs, so that a slow one holds up no other.

Each polls at its own pace, 20 ms while there is work and up to a second when there is none. Declarations are looked at
again every second; a target that was changed gets a new relay, one that was paused or is outside of its hours none. A
target that cannot be opened fails as one that does not answer: people see it, it is tried again, and the others go on.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

from sqlalchemy import Connection

from mdm import clock
from mdm.connectors.model import MessageSink, RecordSystem
from mdm.db.transaction import run
from mdm.delivery import standings_store
from mdm.delivery.connect import connect
from mdm.delivery.lanes import note_unopened, rests
from mdm.delivery.meter import CallMeter
from mdm.delivery.model import Declaration, Standing
from mdm.delivery.relay import Relay, relay_to
from mdm.delivery.targets import declarations
from mdm.errors import HubError, reason_of
from mdm.hub import Hub
from mdm.telemetry import logger

Answer = TypeVar("Answer")
LOOK_S: Final = 1.0  # chosen: a target that is paused is told nothing a second later
PAUSE_S_FIRST: Final = 0.02
PAUSE_S_MAX: Final = 1.0


@dataclass(frozen=True, slots=True)
class _Running:
    declaration: Declaration
    thread: threading.Thread
    stop: threading.Event


def keep_relays(hub: Hub, stop: threading.Event) -> None:
    """Keep a relay running for each target until told to stop; then wait for their turns to end."""
    running: dict[str, _Running] = {}
    while not stop.is_set():
        try:
            wanted = run(hub.engine, _wanted)
        except HubError as error:
            logger(__name__).warning("targets not read", code=error.code)
            wanted = {name: one.declaration for name, one in running.items()}
        _bring_to(hub, running, wanted)
        stop.wait(LOOK_S)
    _bring_to(hub, running, {})


def tell_once(hub: Hub) -> int:
    """Tell every target that runs what is due now, one after the other; return how many lanes were settled."""
    total = 0
    for declaration in run(hub.engine, _wanted).values():
        meter = CallMeter()
        system = _open(hub, declaration, meter)
        if system is not None:
            try:
                relay = relay_to(hub, declaration, system, meter=meter)
                while settled := _turn(relay):
                    total += settled
            finally:
                _close(declaration, system)
    return total


def _wanted(connection: Connection) -> Mapping[str, Declaration]:
    standings = standings_store.select_standings(connection)
    now = clock.instant(connection)
    return {
        name: one
        for name, one in declarations(connection).items()
        if name in standings and _is_wanted(one, standings[name], now)
    }


def _is_wanted(declaration: Declaration, standing: Standing, now: datetime) -> bool:
    """Tell whether a target has something to expect of a relay; one that is drained is paused at any hour."""
    return standing.state == "draining" or (standing.state == "running" and declaration.schedule.is_open_at(now))


def _bring_to(hub: Hub, running: dict[str, _Running], wanted: Mapping[str, Declaration]) -> None:
    ended = [name for name, one in running.items() if wanted.get(name) != one.declaration]
    for name in ended:
        running[name].stop.set()
    for name in ended:
        running.pop(name).thread.join()
    for name, declaration in wanted.items():
        if name not in running or not running[name].thread.is_alive():
            ends = threading.Event()
            thread = threading.Thread(target=_relay, args=(hub, declaration, ends), name=f"relay {name}")
            running[name] = _Running(declaration, thread, ends)
            thread.start()


def _relay(hub: Hub, declaration: Declaration, stop: threading.Event) -> None:
    meter = CallMeter()
    system = _open(hub, declaration, meter)
    while system is None and not stop.wait(PAUSE_S_MAX):
        if not _rests(hub, declaration):
            system = _open(hub, declaration, meter)
    if system is None:
        return
    relay = relay_to(hub, declaration, system, meter=meter)
    pause_s = PAUSE_S_FIRST
    try:
        while not stop.is_set():
            pause_s = PAUSE_S_FIRST if _turn(relay) else min(PAUSE_S_MAX, 2 * pause_s)
            stop.wait(pause_s if pause_s > PAUSE_S_FIRST else 0)
    finally:
        _close(declaration, system)


def _turn(relay: Relay) -> int:
    try:
        return relay.guarded_turn()
    except Exception:  # noqa: BLE001 -- the edge of a turn: what it leased comes back when the lease ends
        logger(__name__).exception("turn not noted", target=relay.declaration.id)
        return 0


def _open(hub: Hub, declaration: Declaration, meter: CallMeter) -> RecordSystem | MessageSink | None:
    """Open what speaks with a target; where that fails it stands with the target, and None is returned."""
    try:
        system = connect(declaration, hub.settings, meter)
    except Exception as error:  # noqa: BLE001 -- the edge of a target: whatever it is, only this one is not told
        expected = isinstance(error, HubError)
        logger(__name__).warning(
            "target not opened", target=declaration.id, exc_info=not expected, why=reason_of(error)
        )
        reason = f"it cannot be opened: {reason_of(error)}"
        _note(hub, declaration, partial(note_unopened, declaration=declaration, reason=reason))
        return None
    _note(hub, declaration, partial(standings_store.note_opened, target_id=declaration.id))
    return system


def _rests(hub: Hub, declaration: Declaration) -> bool:
    return _note(hub, declaration, partial(rests, declaration=declaration)) is not False


def _note(hub: Hub, declaration: Declaration, act: Callable[[Connection], Answer]) -> Answer | None:
    """Ask or note something about a target; None where the database does not answer."""
    try:
        return run(hub.engine, act)
    except Exception:  # noqa: BLE001 -- the edge of a target: it is tried again in a moment
        logger(__name__).exception("target not noted", target=declaration.id)
        return None


def _close(declaration: Declaration, system: RecordSystem | MessageSink) -> None:
    try:
        system.close()
    except Exception:  # noqa: BLE001 -- the edge of a target: its connections are lost, and nothing with them
        logger(__name__).exception("target not closed", target=declaration.id)
