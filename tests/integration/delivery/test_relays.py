"""The relays of a process: a target that cannot be opened or told is shown as failing, and holds up no other."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import standardwebhooks
from sqlalchemy import text
from standardwebhooks import WebhookVerificationError

from mdm import clock
from mdm.connectors.signatures import make_secret
from mdm.db.transaction import run
from mdm.delivery.connect import connect
from mdm.delivery.model import Declaration, Standing
from mdm.delivery.orders import lane_lines, target_line
from mdm.delivery.overview import readings_of
from mdm.delivery.relay import relay_to
from mdm.delivery.relays import keep_relays, tell_once
from mdm.delivery.standings_store import select_standing
from mdm.failpoints import armed
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.settings import Settings
from tests.hubs import delivery, register_instances
from tests.receivers import Attempt, Receiver, receiver
from tests.targets import declare

pytestmark = pytest.mark.db

HOOK = """
    target: {id}
    title: Hook
    kind: webhook
    connection: {{url: '{url}', secret: MDM_SECRET_HOOK}}
    events: {{entities: [widget_hold]}}
"""
EXCHANGE = """
    target: hook
    title: Hook
    kind: webhook
    connection:
      url: '{url}'
      secret: MDM_SECRET_NEW
      previous_secret: MDM_SECRET_HOOK
      previous_until: {until}
    events: {{entities: [widget_hold]}}
"""


@pytest.fixture
def heard() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


@pytest.fixture
def open_hub(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> Hub:
    """Give a hub that may call receivers on this machine, and whose environment holds their secret."""
    monkeypatch.setenv("MDM_SECRET_HOOK", make_secret())
    register_instances(hub, "crm-us")
    return replace(hub, settings=Settings(outgoing_networks="127.0.0.0/8"))


def tell_of(hub: Hub, number: int) -> None:
    deliver(hub, [delivery(f"crm-us/Account:{number}", "widget_hold", codes=[f"c{number}"], name="Acme")], who="t")


def keep_as_before_checks(hub: Hub, target_id: str, connection: dict[str, object]) -> None:
    """Put a connection into a kept declaration that was taken before connections were checked."""
    with hub.engine.begin() as open_connection:
        open_connection.execute(
            text(
                "UPDATE target SET configuration = jsonb_set(CAST(configuration AS jsonb), '{connection}',"
                " CAST(:connection AS jsonb)) WHERE id = :target"
            ),
            {"connection": json.dumps(connection), "target": target_id},
        )


def stands(hub: Hub, target_id: str) -> Standing:
    found = run(hub.engine, lambda connection: select_standing(connection, target_id))
    assert found is not None
    return found


@contextmanager
def relaying(hub: Hub) -> Iterator[threading.Thread]:
    """Keep relays as a worker does, for the length of a `with` block."""
    stop = threading.Event()
    thread = threading.Thread(target=keep_relays, args=(hub, stop))
    thread.start()
    try:
        yield thread
    finally:
        stop.set()
        thread.join()


def wait_until(holds: Callable[[], bool], *, lasting_s: float = 15) -> None:
    until = time.monotonic() + lasting_s
    while not holds():
        assert time.monotonic() < until, "it did not come to hold in time"
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("connection", "why"),
    [
        ({"urll": "https://example.com"}, "urll is not a key here; write url"),
        ({"url": "https://example.com", "secret": "MDM_SECRET_NOT_THERE"}, "MDM_SECRET_NOT_THERE is not set"),
        (
            {"url": "https://example.com", "secret": "MDM_SECRET_HOOK", "previous_until": "next week"},
            "'next week' is no instant; write an instant with its zone",
        ),
        ({"connector": "webhok"}, "there is no connector 'webhok'; write webhook"),
    ],
)
def test_a_target_that_cannot_be_opened_is_shown_and_the_other_goes_on(
    open_hub: Hub, tmp_path: Path, heard: Receiver, connection: dict[str, object], why: str
) -> None:
    for name in ("a-broken", "hook"):
        declare(open_hub, tmp_path, HOOK.format(id=name, url=heard.url))
    keep_as_before_checks(open_hub, "a-broken", connection)
    tell_of(open_hub, 1)

    told = tell_once(open_hub)

    broken, hook = stands(open_hub, "a-broken"), stands(open_hub, "hook")
    assert (told, len(heard.attempts)) == (1, 1)
    assert (hook.is_failing, hook.failures) == (False, 0)
    assert (broken.is_failing, broken.state, broken.failures, broken.failure_kind) == (True, "running", 1, "unopened")
    assert broken.failure_reason.startswith("it cannot be opened: ")
    assert why in broken.failure_reason
    line = run(open_hub.engine, lambda c: target_line(c, "a-broken"))
    (reading,) = run(open_hub.engine, lambda c: readings_of(c, [line]))
    assert reading.failures == 1
    (lane,) = run(open_hub.engine, lambda c: lane_lines(c, ["a-broken"]))
    assert lane.attempts == 0  # nothing was tried with it, and it is not given up


def test_threads_go_on_and_a_target_that_is_mended_is_told_at_once(
    open_hub: Hub, tmp_path: Path, heard: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    died: list[threading.ExceptHookArgs] = []
    monkeypatch.setattr(threading, "excepthook", died.append)
    for name in ("broken", "hook"):
        declare(open_hub, tmp_path, HOOK.format(id=name, url=heard.url))
    keep_as_before_checks(open_hub, "broken", {"url": heard.url, "secret": "MDM_SECRET_HOOK", "timeout_s": "soon"})

    with relaying(open_hub):
        wait_until(lambda: stands(open_hub, "broken").failures >= 2)
        tell_of(open_hub, 1)
        wait_until(lambda: len(heard.attempts) == 1)
        assert not stands(open_hub, "hook").is_failing
        with open_hub.engine.begin() as connection:
            # It rests, as after many failures: a declaration that is mended does not wait for that.
            connection.execute(text("UPDATE target_pulse SET opens_at = now() + interval '1 hour' WHERE failures > 0"))
        declare(open_hub, tmp_path, HOOK.format(id="broken", url=heard.url))
        wait_until(lambda: len(heard.attempts) == 2)

    assert died == []
    assert not stands(open_hub, "broken").is_failing


def test_a_target_that_cannot_be_opened_rests_and_is_stopped_as_one_that_does_not_answer(
    open_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    declare(open_hub, tmp_path, HOOK.format(id="hook", url="https://example.com"))
    monkeypatch.delenv("MDM_SECRET_HOOK")

    for _ in range(5):
        tell_once(open_hub)

    rests = stands(open_hub, "hook")
    assert rests.failures == 5
    assert rests.opens_at is not None
    with open_hub.engine.begin() as connection:
        connection.execute(text("UPDATE target_pulse SET failing_since = now() - interval '6 days'"))
    tell_once(open_hub)
    stopped = stands(open_hub, "hook")
    assert stopped.state == "stopped"
    assert "it cannot be opened: MDM_SECRET_HOOK is not set" in stopped.reason


def test_a_turn_that_runs_into_an_error_is_a_failed_attempt_that_people_see(
    open_hub: Hub, tmp_path: Path, heard: Receiver
) -> None:
    declare(open_hub, tmp_path, HOOK.format(id="hook", url=heard.url))
    tell_of(open_hub, 1)

    def break_down() -> None:
        raise TypeError("a value of somebody")

    with armed({"delivery.sent": break_down}):
        assert tell_once(open_hub) == 0

    standing = stands(open_hub, "hook")
    (lane,) = run(open_hub.engine, lambda c: lane_lines(c, ["hook"], state="failing"))
    assert (lane.attempts, lane.failure_kind) == (1, "unclear")
    assert lane.failure_reason == standing.failure_reason
    assert "an error of its own (TypeError)" in standing.failure_reason
    assert "somebody" not in standing.failure_reason
    assert (standing.is_failing, standing.failures) == (True, 1)
    with open_hub.engine.begin() as connection:
        connection.execute(text("UPDATE delivery_lane SET due_at = now()"))
    assert tell_once(open_hub) == 1
    assert len({one.id for one in heard.attempts}) == 1  # it had arrived, and comes again under the same id
    assert not stands(open_hub, "hook").is_failing


def verifies(secret: str, attempt: Attempt) -> bool:
    try:
        standardwebhooks.Webhook(secret).verify(attempt.body, dict(attempt.headers))
    except WebhookVerificationError:
        return False
    return True


def test_secrets_are_exchanged_by_a_declaration(
    open_hub: Hub, tmp_path: Path, heard: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receiver holds the old secret until it takes the new one: no message between is one it cannot verify."""
    old, new = make_secret(), make_secret()
    monkeypatch.setenv("MDM_SECRET_HOOK", old)

    def told(declaration: Declaration, number: int) -> tuple[bool, bool]:
        tell_of(open_hub, number)
        assert tell_once(open_hub) == 1
        (attempt,) = heard.attempts[number - 1 :]
        return verifies(old, attempt), verifies(new, attempt)

    before = told(declare(open_hub, tmp_path, HOOK.format(id="hook", url=heard.url)), 1)
    monkeypatch.setenv("MDM_SECRET_NEW", new)
    until = clock.now() + timedelta(hours=1)
    during = told(declare(open_hub, tmp_path, EXCHANGE.format(url=heard.url, until=until.isoformat())), 2)
    past = clock.now() - timedelta(seconds=1)
    # The old secret may be gone once its time is over: the declaration is good as it stands.
    monkeypatch.delenv("MDM_SECRET_HOOK")
    after = told(declare(open_hub, tmp_path, EXCHANGE.format(url=heard.url, until=past.isoformat())), 3)

    assert (before, during, after) == ((True, False), (True, True), (False, True))


def test_an_exchange_ends_at_its_instant_while_the_relay_runs(
    open_hub: Hub, tmp_path: Path, heard: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = make_secret(), make_secret()
    monkeypatch.setenv("MDM_SECRET_HOOK", old)
    monkeypatch.setenv("MDM_SECRET_NEW", new)
    until = clock.now() + timedelta(seconds=3)
    declaration = declare(open_hub, tmp_path, EXCHANGE.format(url=heard.url, until=until.isoformat()))
    system = connect(declaration, open_hub.settings)
    relay = relay_to(open_hub, declaration, system)
    tell_of(open_hub, 1)
    assert relay.drain() == 1
    assert clock.now() < until

    wait_until(lambda: clock.now() > until)
    tell_of(open_hub, 2)
    assert relay.drain() == 1
    system.close()

    assert [(verifies(old, one), verifies(new, one)) for one in heard.attempts] == [(True, True), (False, True)]


def test_a_target_is_asked_no_more_often_than_its_rate_allows_whatever_its_lanes_hold(
    open_hub: Hub, tmp_path: Path, heard: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of twelve messages in four lanes each is a call. What the first lanes need beyond theirs is made good."""
    monkeypatch.setenv("MDM_SECRET_HOOK", make_secret())
    came: list[float] = []

    def note(_: Attempt) -> int:
        came.append(time.monotonic())
        return 204

    heard.answer = note
    rate, burst = 20, 2
    hook = HOOK.format(id="hook", url=heard.url)
    declare(open_hub, tmp_path, f"    rate: {{per_second: {rate}, burst: {burst}}}{hook}")
    for name in ("first", "second", "third"):
        names = [delivery(f"crm-us/Account:{n}", "widget_hold", codes=[f"c{n}"], name=f"{name} {n}") for n in range(4)]
        deliver(open_hub, names, who="t")

    begun = time.monotonic()
    tell_once(open_hub)
    while len(came) < 12:
        tell_once(open_hub)

    assert [place for place, at in enumerate(came, 1) if place > 3 * burst + rate * (at - begun)] == []
