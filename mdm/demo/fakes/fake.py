"""One fake system: its records, its clock, its faults and its journal, and what its users do at their own screens.

with running(Fake(ERP, clock=VirtualClock())) as erp:
    acme = erp.enter("customer", {"companyName": "Acme", "currency": "EUR"}, by="anna")
    ... a connector speaks to erp.url with the key erp.hub_key ...
    assert [entry.effect for entry in erp.journal.writes("customer", acme.native_id)] == ["changed"]
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from mdm.demo.fakes.clock import Clock, RealClock
from mdm.demo.fakes.faults import Faults
from mdm.demo.fakes.journal import Journal
from mdm.demo.fakes.limits import Limits
from mdm.demo.fakes.model import Character, Record
from mdm.demo.fakes.records import Draft, Edit, Records

HUB: Final = "hub"
REPEATS_KEPT_FOR: Final = timedelta(hours=24)  # how long most vendors know an idempotency key


class Fake:
    """A system that can be run (`wire.running`) and used by people.

    hub_key         what the hub shows; what it writes is changed by "hub"
    is_idempotent   knows the key of a repeat; where it is off, only the external id prevents a twin
    answers_as_first  answers a repeat as it did the first time, instead of with the record as it stands now
    latency_s       seconds between the work and its answer
    most_under_way  how many requests waited for their answer at one time, at most
    url             where it listens, and `tls_url` with a certificate of its own making, once it runs
    """

    def __init__(
        self, character: Character, *, clock: Clock | None = None, scopes: Sequence[str] = (), seed: int = 0
    ) -> None:
        self.clock: Clock = clock or RealClock()
        self.records = Records(character, self.clock, scopes=scopes)
        self.faults = Faults(seed)
        self.journal = Journal()
        self.limits = Limits(self.clock)
        self.hub_key = "hub-key"
        self.users_by_key: dict[str, str] = {self.hub_key: HUB}
        self.is_idempotent = True
        self.answers_as_first = False
        self.latency_s = 0.0
        self.most_under_way = 0
        self.url = ""
        self.tls_url = ""
        self.certificate: Path | None = None
        self._repeats: OrderedDict[tuple[str, ...], tuple[datetime, Record]] = OrderedDict()

    @property
    def character(self) -> Character:
        """Return what kind of system it is."""
        return self.records.character

    def who(self, api_key: str) -> str:
        """Name whoever shows an API key; "" for a wrong one."""
        return self.users_by_key.get(api_key, "")

    def change_hub_key(self, api_key: str) -> None:
        """Give the hub another key; the old one is wrong from now on."""
        self.users_by_key.pop(self.hub_key, None)
        self.hub_key = api_key
        self.users_by_key[api_key] = HUB

    def key_of(self, user: str) -> str:
        """Give a user an API key of their own."""
        self.users_by_key[f"{user}-key"] = user
        return f"{user}-key"

    def remember(self, key: tuple[str, ...], record: Record) -> None:
        """Keep what a request with an idempotency key led to."""
        now = self.clock.now()
        self._repeats[key] = now, record
        while self._repeats and next(iter(self._repeats.values()))[0] + REPEATS_KEPT_FOR < now:
            self._repeats.popitem(last=False)

    def earlier(self, key: tuple[str, ...]) -> Record | None:
        """Return the record that a request with this idempotency key led to."""
        if not self.is_idempotent or key not in self._repeats:
            return None
        first = self._repeats[key][1]
        return first if self.answers_as_first else self.records.find(first.object, first.native_id, first.scope)

    def enter(
        self,
        object_: str,
        fields: Mapping[str, Any],
        *,
        by: str,
        scope: str = "",
        external_id: str = "",
        native_id: str = "",
    ) -> Record:
        """Let a user create a record, with a number of their own if they like."""
        draft = Draft(object_, fields, scope=scope, external_id=external_id, native_id=native_id)
        return self.records.create(draft, by=by).record

    def edit(
        self,
        object_: str,
        native_id: str,
        fields: Mapping[str, Any],
        *,
        by: str,
        scope: str | None = None,
        external_id: str | None = None,
    ) -> Record:
        """Let a user write fields of a record."""
        edit = Edit(object_, native_id, fields, scope=scope, external_id=external_id)
        return self.records.change(edit, by=by).record

    def deactivate(self, object_: str, native_id: str, *, by: str, scope: str | None = None) -> Record:
        """Let a user take a record out of use."""
        return self.records.deactivate(Edit(object_, native_id, scope=scope), by=by).record

    def merge(self, object_: str, native_id: str, *, into: str, by: str, scope: str | None = None) -> Record:
        """Let a user merge a record into another; returns the survivor.

        Where the API merges too, the loser stays readable and names its survivor; elsewhere it is gone.
        """
        edit = Edit(object_, native_id, scope=scope)
        if not self.records.rules(object_).can_merge:
            return self.records.merge_by_hand(edit, into, by=by)
        loser = self.records.merge(edit, into, by=by).record
        return self.records.find(object_, into, loser.scope)

    def delete(self, object_: str, native_id: str, *, scope: str | None = None) -> Record:
        """Let a user delete a record for good."""
        return self.records.delete(object_, native_id, scope)

    def record(self, object_: str, native_id: str, scope: str | None = None) -> Record:
        """Return a record as it stands."""
        return self.records.find(object_, native_id, scope)
