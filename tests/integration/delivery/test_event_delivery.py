"""A receiver of messages is told every golden version in order, with the same id for every attempt."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator
from sqlalchemy import text

from api.asyncapi import document
from mdm import clock
from mdm.connectors.signatures import make_secret
from mdm.delivery.connect import connect
from mdm.delivery.relay import Relay, relay_to
from mdm.hub import Hub
from mdm.ids import EventId, GoldenId
from mdm.jobs.service import deliver
from mdm.settings import Settings
from mdm.stewardship.model import By, Merge, Unmerge
from mdm.stewardship.operations import perform
from tests.hubs import assert_sound, delivery, golden_by_key, register_instances
from tests.receivers import Receiver, receiver
from tests.targets import declare

pytestmark = pytest.mark.db

HOOK = """
    target: hook
    title: Hook
    kind: webhook
    connection: {{url: '{url}', secret: MDM_SECRET_HOOK}}
    undo_window_s: {window}
    events:
      entities: [widget_hold]
      payload: full
      kinds: {kinds}
"""


@pytest.fixture
def heard() -> Iterator[Receiver]:
    with receiver() as one:
        yield one


@pytest.fixture(autouse=True)
def _secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MDM_SECRET_HOOK", make_secret())


@dataclass
class Hook:
    """Opens relays to the receiver, and closes them in the end."""

    hub: Hub
    folder: Path
    heard: Receiver
    opened: ExitStack

    def relay(self, *, window: int = 0, ahead_s: int = 0, kinds: Sequence[str] = ()) -> Relay:
        text_ = HOOK.format(url=self.heard.url, window=window, kinds=json.dumps(list(kinds)))
        declaration = declare(self.hub, self.folder, text_)
        system = connect(declaration, Settings(outgoing_networks="127.0.0.0/8"))
        self.opened.callback(system.close)
        return relay_to(self.hub, declaration, system, now=lambda c: clock.instant(c) + timedelta(seconds=ahead_s))


@pytest.fixture
def hook(hub: Hub, tmp_path: Path, heard: Receiver) -> Iterator[Hook]:
    register_instances(hub, "crm-us")
    with ExitStack() as opened:
        yield Hook(hub, tmp_path, heard, opened)


def told(heard: Receiver) -> list[tuple[str, str, int]]:
    bodies = [json.loads(one.body) for one in heard.attempts]
    return [(body["type"], body["subject"], body["data"]["version"]) for body in bodies]


def test_every_version_is_told_in_order_and_once(hub: Hub, hook: Hook, heard: Receiver) -> None:
    relay = hook.relay()
    for at, name in enumerate(["Acme", "Acme Ltd", "Acme Inc"]):
        deliver(hub, [delivery("crm-us/Account:1", "widget_hold", at=at, codes=["c1"], name=name)], who="t")
    golden_id = golden_by_key(hub)["crm-us/Account:1"]

    relay.drain()
    relay.drain()

    assert told(heard) == [
        ("golden_record.created", golden_id, 1),
        ("golden_record.changed", golden_id, 2),
        ("golden_record.changed", golden_id, 3),
    ]
    assert json.loads(heard.attempts[1].body)["data"]["changed"] == ["name"]
    assert json.loads(heard.attempts[2].body)["data"]["values"]["name"] == "Acme Inc"
    assert_sound(hub)


def test_after_a_failure_the_rest_of_a_lane_waits_and_comes_with_the_same_ids(
    hub: Hub, hook: Hook, heard: Receiver
) -> None:
    relay = hook.relay()
    for at, name in enumerate(["Acme", "Acme Ltd", "Acme Inc"]):
        deliver(hub, [delivery("crm-us/Account:1", "widget_hold", at=at, codes=["c1"], name=name)], who="t")
    statuses = iter([204, 500, 204, 204])
    heard.answer = lambda _: next(statuses)

    relay.drain()
    assert [version for _, _, version in told(heard)] == [1, 2]
    with hub.engine.begin() as connection:
        assert connection.execute(text("SELECT acknowledged, head FROM delivery_lane")).one() == (1, 3)
        connection.execute(text("UPDATE delivery_lane SET due_at = now()"))
    relay.drain()

    assert [version for _, _, version in told(heard)] == [1, 2, 2, 3]
    assert heard.attempts[1].id == heard.attempts[2].id


@pytest.mark.parametrize("undone", [True, False])
def test_a_merge_that_is_taken_back_in_time_is_never_told(hub: Hub, hook: Hook, heard: Receiver, undone: bool) -> None:
    relay = hook.relay(window=600)
    for number in (1, 2):
        deliver(
            hub, [delivery(f"crm-us/Account:{number}", "widget_hold", codes=[f"c{number}"], name=f"N{number}")], who="t"
        )
    relay.drain()
    assert len(heard.attempts) == 2
    keys = golden_by_key(hub)
    pair = (GoldenId(keys["crm-us/Account:1"]), GoldenId(keys["crm-us/Account:2"]))
    effect = perform(hub, Merge(*pair), By("mara", "the same"))
    relay.drain()
    assert len(heard.attempts) == 2  # it waits for an undo
    if undone:
        perform(hub, Unmerge(EventId(effect.event_id)), By("mara", "no, two"))

    hook.relay(window=600, ahead_s=700).drain()

    # Two lanes: which of them is told first is not promised.
    kinds = sorted(kind for kind, _, _ in told(heard)[2:])
    assert kinds == ([] if undone else ["golden_record.changed", "golden_record.forwarded"])
    with hub.engine.connect() as connection:
        waits = connection.execute(text("SELECT count(*) FROM delivery_lane WHERE acknowledged < head")).scalar_one()
    assert waits == 0


@pytest.mark.parametrize("kind", ["golden_record.split", "golden_record.changed"])
def test_a_split_is_told_as_one_to_whoever_asks_for_it_or_for_changes(
    hub: Hub, hook: Hook, heard: Receiver, kind: str
) -> None:
    """Records that leave are news that a receiver of changes was told before there was a kind for it."""
    for number, code in ((1, "c1"), (2, "c1"), (2, "c2")):
        deliver(hub, [delivery(f"crm-us/Account:{number}", "widget_hold", codes=[code])], who="t")
    golden = golden_by_key(hub)
    whole, part = golden["crm-us/Account:1"], golden["crm-us/Account:2"]

    hook.relay(kinds=[kind]).drain()

    bodies = [json.loads(one.body) for one in heard.attempts]
    (split,) = [one for one in bodies if one["type"] == "golden_record.split"]
    assert (split["subject"], split["data"]["version"]) == (whole, 3)
    assert split["data"]["parts"] == [{"golden_id": part, "source_keys": ["crm-us/Account:2"]}]
    assert split["data"]["moves"] == [{"source_key": "crm-us/Account:2", "before": whole, "after": part}]
    assert split["data"]["event_id"].startswith("evt_")
    assert Draft202012Validator(document()["components"]["schemas"]["golden_record_split"]).is_valid(split)
    others = [one["type"] for one in bodies if one is not split]
    assert others == (["golden_record.changed"] if kind == "golden_record.changed" else [])


def test_who_asks_for_neither_is_told_of_no_split(hub: Hub, hook: Hook, heard: Receiver) -> None:
    for number, code in ((1, "c1"), (2, "c1"), (2, "c2")):
        deliver(hub, [delivery(f"crm-us/Account:{number}", "widget_hold", codes=[code])], who="t")

    hook.relay(kinds=["golden_record.created"]).drain()

    assert [kind for kind, _, _ in told(heard)] == ["golden_record.created"] * 2
