"""A system of records under chaos: what people do in it, what the hub asks of it, whose its records are in the hub."""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from mdm import clock
from mdm.connectors.record_api import RecordApi
from mdm.delivery.model import Declaration
from mdm.delivery.relay import Relay
from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.journal import Entry
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.sources.model import SourceKey
from tests.hubs import golden_by_key


@dataclass
class Now:
    """One clock for the systems and the relays: the true one, put forward by hand."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def __call__(self, connection: Connection) -> datetime:
        return clock.instant(connection) + self.ahead

    def forward(self, seconds: float) -> None:
        self.ahead += timedelta(seconds=seconds)


@dataclass
class System:
    """One system: what runs, how the hub reads it, and how it is told.

    entered  records that people made: those that the hub made have nothing to say, and cannot stand alone
    touched  records that a person changed since they were read: only these may say something new
    excused  records, or golden ids, of which something was not answered: that may be asked for again
    open     ids of requests that were not answered: a repeat, however late, is the same request
    unread   ids of the requests that made records which were not read back yet, and are not believed until then
    struck   how often a fault met a write, by its name
    heard    how much of the journal was looked at
    """

    instance: str
    object: str
    name_field: str
    currency_field: str
    fake: Fake
    api: RecordApi
    declaration: Declaration
    relay: Relay
    cursor: str = ""
    entered: set[str] = field(default_factory=set)
    touched: set[str] = field(default_factory=set)
    excused: set[str] = field(default_factory=set)
    open: set[str] = field(default_factory=set)
    unread: dict[str, str] = field(default_factory=dict)
    struck: Counter[str] = field(default_factory=Counter)
    heard: int = 0

    def enter(self, fields: Mapping[str, Any], *, by: str) -> None:
        """Let a user make a record."""
        native_id = self.fake.enter(self.object, fields, by=by).native_id
        self.entered.add(native_id)
        self.touched.add(native_id)

    def rename(self, native_id: str, name: str, *, by: str) -> None:
        """Let a user write another name."""
        self.touched.add(native_id)
        self.fake.edit(self.object, native_id, {self.name_field: name}, by=by)

    def complete(self, native_id: str, name: str) -> None:
        """Let a user write what every firm has to have."""
        self.rename(native_id, name, by="otto")
        self.fake.edit(self.object, native_id, {self.currency_field: "EUR"}, by="otto")

    def name_of(self, native_id: str) -> str:
        """Give the name that a record shows."""
        return str(self.fake.record(self.object, native_id).fields[self.name_field])

    def names_written(self, native_id: str) -> int:
        """Count how often the hub changed the name of a record."""
        return sum(self.name_field in one.changed for one in self.fake.journal.writes(self.object, native_id))

    def tell(self, *, turns_max: int = 1) -> None:
        """Let the hub tell the system what is due; what it asks for has an effect, but after a failure."""
        self.relay.drain(turns_max=turns_max)
        entries = self.fake.journal.entries()
        answered: set[str] = set()
        for one in entries[self.heard :]:
            # What was not answered of a lane is asked for again, all of it.
            names = _names_in(one)
            if one.fault:
                self.struck[one.fault] += one.is_write
                # A new record is not believed before it was read back: the lane that made it has no answer.
                maker = self.unread.get(one.native_id, one.key)
                names |= {maker.partition(".")[0]} - {""}
                self.excused |= names
                answered -= names
                self.open |= {one.key, maker}
            elif one.is_write and one.status < 400:
                is_needed = one.has_written or one.key in self.open or names & (self.excused | self.touched)
                assert is_needed, f"asked for without need: {one}, after {self.heard_of(names)}"
                # Of a record that was made at a second attempt the values are compared once more.
                answered |= names if one.method == "PATCH" else set()
                self.open.discard(one.key)
                if ".create." in one.key:
                    self.unread[one.native_id] = one.key
            elif not one.is_write:
                self.unread.pop(one.native_id, None)
        self.excused -= answered
        self.heard = len(entries)

    def heard_of(self, names: Collection[str]) -> list[Entry]:
        """Give all that the journal says of a record, and of what it was called by the same requests."""
        about = [(one, _names_in(one)) for one in self.fake.journal.entries()]
        called = set(names).union(*(said for _, said in about if said & set(names)))
        return [one for one, said in about if said & called]


def _names_in(entry: Entry) -> set[str]:
    """Give the names by which an entry of the journal speaks of a record: its key, and golden ids."""
    return {entry.native_id, entry.external_id, entry.key.partition(".")[0]} - {""}


def members_of(hub: Hub) -> dict[GoldenId, list[SourceKey]]:
    """Give the records of every golden record, in one order."""
    found: dict[GoldenId, list[SourceKey]] = {}
    for key, golden_id in sorted(golden_by_key(hub).items()):
        found.setdefault(GoldenId(golden_id), []).append(SourceKey.parse(key))
    return found


def both_systems(hub: Hub) -> list[tuple[str, str]]:
    """Give the keys of firms that have one record in each system."""
    with hub.engine.connect() as connection:
        rows = connection.execute(
            text(
                "SELECT min(native_id) FILTER (WHERE instance_id = 'salesforce-us') AS account,"
                " min(native_id) FILTER (WHERE instance_id = 'netsuite-us') AS customer FROM source_record"
                " WHERE state = 'active' AND ended_because IS NULL GROUP BY golden_id HAVING count(*) = 2"
                " AND count(DISTINCT instance_id) = 2 ORDER BY 1"
            )
        )
        return [(row.account, row.customer) for row in rows]


def golden_of(hub: Hub, instance: str, native_id: str) -> str:
    """Give the golden id of a record."""
    with hub.engine.connect() as connection:
        row = text("SELECT golden_id FROM source_record WHERE instance_id = :instance AND native_id = :id")
        return str(connection.execute(row, {"instance": instance, "id": native_id}).scalar_one())
