"""One errand for each unsafe route of `/v1`: a request that has an effect, and another one under the same address."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Engine
from starlette.testclient import TestClient

from api.access_table import ACCESS
from mdm.clock import now
from mdm.db.transaction import run, transaction
from mdm.delivery.targets import end_backfill
from mdm.ids import new_proposal_id
from mdm.modelling import store as rules_store
from mdm.modelling.editing import with_lines
from mdm.modelling.model import Pair, Proposal, Provenance
from mdm.modelling.service import keep_model
from tests.deals import ERP, FACTS
from tests.hubs import hub_on
from tests.integration.api.records import deliver, record

Json = dict[str, Any]
Header = dict[str, str]
SOURCES: Final = ("netsuite-us", "salesforce-emea", ERP)
MATCHED: Final = "netsuite"  # a target that answers: `tests.erp.books`
BOOKS: Final[Json] = {
    "title": "The books",
    "kind": "records",
    "connection": {"connector": "record_api", "url": "http://127.0.0.1:1", "secret": "MDM_SECRET_BOOKS"},
    "instance": "netsuite-us",
    "records": {"customer": {"object": "customer", "creates": True, "fields": {"legal_name": {"field": "name"}}}},
}


def unsafe_routes() -> list[tuple[str, str]]:
    """List the routes of `/v1` that change something, from the table that every route stands in."""
    return [place for place, access in ACCESS.items() if access.is_unsafe and place[1].startswith("/v1/")]


@dataclass(frozen=True)
class Asked:
    """A request that has an effect; `other` is a body that makes it another request."""

    path: str
    body: Json | None = None
    other: Json = field(default_factory=lambda: {"reason": "another request"})


@dataclass
class Desk:
    """Somebody who prepares what a request needs: records that nothing joins, questions, rejected deliveries."""

    client: TestClient
    admin: Header
    second: Header
    engine: Engine
    drawn: random.Random

    def post(self, path: str, body: Json | None = None, *, by: Header | None = None) -> Json:
        answer = self.client.post(path, headers=by or self.admin, json=body)
        assert answer.is_success, (path, answer.text)
        told: Json = answer.json()
        return told

    def customer(self, source: str = SOURCES[0]) -> tuple[str, str]:
        """Deliver a customer; give golden id and printed key."""
        name = "".join(self.drawn.choices("abcdefghiklmnoprstuvwz", k=12))
        (result,) = deliver(self.client, self.admin, record(source, name, name=f"{name} AG", country="CH"))
        return str(result["golden_id"]), f"{source}/account:{name}"

    def merged(self) -> tuple[str, str, str]:
        """Merge two customers; give the golden id, the key that came to it, and the event."""
        (survivor, _), (absorbed, key) = self.customer(SOURCES[0]), self.customer(SOURCES[1])
        event = self.post(f"/v1/golden-records/{survivor}:merge", {"other": absorbed, "reason": "test"})["event_id"]
        return survivor, key, event

    def pair(self) -> Json:
        """Deliver two customers; give a decision about them, to be filled in."""
        return {"left": self.customer(SOURCES[0])[1], "right": self.customer(SOURCES[1])[1], "reason": "test"}

    def review(self) -> Json:
        """Have a question about two customers."""
        pair = self.pair()
        self.post("/v1/decisions", pair | {"judgement": "unsure"}, by=self.second)
        rows = self.client.get("/v1/reviews", headers=self.admin, params={"kind": "unsure", "limit": 500}).json()[
            "rows"
        ]
        (found,) = (row for row in rows if {row["left"], row["right"]} == {pair["left"], pair["right"]})
        review: Json = found
        return review

    def waiting_answer(self) -> str:
        """Have an answer to two questions, of which each waits for a second person; give one of them."""
        chosen = [{"id": one["id"], "expected": one["expected"]} for one in (self.review(), self.review())]
        body = {"judgement": "same", "reason": "test", "dry_run": False, "reviews": chosen}
        self.post("/v1/reviews:decide", body, by=self.second)
        return str(chosen[0]["id"])

    def exception(self) -> str:
        """Have a delivery rejected; give its exception."""
        key = "".join(self.drawn.choices("0123456789", k=12))
        deliver(self.client, self.admin, record(SOURCES[0], key, city="Köln"))
        rows = self.client.get("/v1/exceptions", headers=self.admin, params={"limit": 500}).json()["rows"]
        return str(next(row["id"] for row in rows if row["source_key"].endswith(f":{key}")))

    def band(self, by: Header | None = None) -> str:
        """Look at a band, as one does before it is accepted; two questions are in it at least."""
        self.review()
        self.review()
        return str(self.post("/v1/bands", _band(self).body, by=by)["id"])

    def accepted_band(self) -> str:
        """Have a band accepted by somebody else, which waits for a second person."""
        band_id = self.band(self.second)
        self.post(f"/v1/bands/{band_id}:accept", by=self.second)
        return band_id

    def target(self) -> str:
        """Declare a target that has yet to be told of a golden record."""
        self.customer(SOURCES[1])
        asked = _target(self)
        answer = self.client.put(asked.path, headers=self.admin, json=asked.body)
        assert answer.status_code == 200, answer.text
        target_id = str(answer.json()["id"])
        run(self.engine, lambda connection: end_backfill(connection, target_id, who="test"))
        return target_id

    def deal(self) -> str:
        """Tell of a deal; its first steps are yet to be done."""
        return str(self.post("/v1/deals", _deal(self).body)["id"])

    def reservation(self) -> str:
        """Have a customer reserved."""
        return str(self.post("/v1/resolve-or-reserve", _reserve(self).body)["reservation"]["id"])

    def key(self) -> str:
        return str(self.post("/v1/api-keys", {"name": "errand", "scopes": ["read"]})["id"])


Errand = Callable[[Desk], Asked]
REASON, OTHER = {"reason": "test"}, {"reason": "another request"}


def _on(verb: str, **body: Any) -> Errand:
    """Do something to a customer that stands alone."""
    return lambda desk: _both(f"/v1/golden-records/{desk.customer()[0]}:{verb}", body)


def _both(path: str, body: Json) -> Asked:
    return Asked(path, body | REASON, body | OTHER)


def _records(desk: Desk) -> Asked:
    key = str(desk.drawn.randrange(10**12))
    one, other = (record(SOURCES[0], key, name=name, country="CH") for name in ("Alder AG", "Birch AG"))
    return Asked("/v1/source-records", {"records": [one]}, {"records": [other]})


def _events(desk: Desk) -> Asked:
    event = {"kind": "vanished", "key": desk.customer()[1], "happened_at": "2026-06-30T12:00:00Z"}
    return Asked("/v1/source-events", {"events": [event]}, {"events": [event | {"reason": "another request"}]})


def _revoked_event(desk: Desk) -> Asked:
    (told,) = desk.post("/v1/source-events", _events(desk).body)["results"]
    return Asked(f"/v1/source-events/{told['id']}:revoke")


def _override(desk: Desk) -> Asked:
    return _both(f"/v1/golden-records/{desk.customer()[0]}/overrides/legal_name", {"value": "Larch AG"})


def _cleared_override(desk: Desk) -> Asked:
    asked = _override(desk)
    assert desk.client.put(asked.path, headers=desk.admin, json=asked.body).status_code == 200
    return Asked(asked.path)


def _merge(desk: Desk) -> Asked:
    return _both(f"/v1/golden-records/{desk.customer()[0]}:merge", {"other": desk.customer()[0]})


def _judge(desk: Desk) -> Asked:
    body = {"other": desk.customer()[0], "judgement": "different"}
    return _both(f"/v1/golden-records/{desk.customer()[0]}:judge", body)


def _split(desk: Desk) -> Asked:
    golden_id, key, _ = desk.merged()
    return _both(f"/v1/golden-records/{golden_id}:split", {"parts": [[key]]})


def _move(desk: Desk) -> Asked:
    return _both(f"/v1/golden-records/{desk.customer()[0]}:move", {"source_key": desk.customer()[1]})


def _unmerge_record(desk: Desk) -> Asked:
    golden_id, key, _ = desk.merged()
    return _both(f"/v1/golden-records/{golden_id}:unmerge", {"source_key": key})


def _dissolve(desk: Desk) -> Asked:
    return _both(f"/v1/golden-records/{desk.merged()[0]}:dissolve", {})


def _restore(desk: Desk) -> Asked:
    golden_id = desk.customer()[0]
    desk.post(f"/v1/golden-records/{golden_id}:retire", REASON)
    return _both(f"/v1/golden-records/{golden_id}:restore", {})


def _decision(desk: Desk) -> Asked:
    pair = desk.pair() | {"judgement": "different"}
    return Asked("/v1/decisions", pair, pair | OTHER)


def _revoked_decision(desk: Desk) -> Asked:
    made = desk.post("/v1/decisions", _decision(desk).body)
    return Asked(f"/v1/decisions/{made['id']}:revoke")


def _release(desk: Desk) -> Asked:
    review = desk.review()["id"]
    desk.post(f"/v1/reviews/{review}:claim")
    return Asked(f"/v1/reviews/{review}:release")


def _answer(desk: Desk) -> Asked:
    review = desk.review()
    return _both(f"/v1/reviews/{review['id']}:decide", {"judgement": "same", "expected": review["expected"]})


def _undone_answer(desk: Desk) -> Asked:
    asked = _answer(desk)
    desk.post(asked.path, asked.body)
    return Asked(asked.path.replace(":decide", ":undo"))


def _answers(desk: Desk) -> Asked:
    review = desk.review()
    chosen = [{"id": review["id"], "expected": review["expected"]}]
    return _both("/v1/reviews:decide", {"judgement": "same", "dry_run": False, "reviews": chosen})


def _mend(desk: Desk) -> Asked:
    mended = {"name": "Maple AG", "country": "CH"}
    return Asked(f"/v1/exceptions/{desk.exception()}", {"fields": mended}, {"fields": mended | {"city": "Bern"}})


def _replay(desk: Desk) -> Asked:
    asked = _mend(desk)
    assert desk.client.patch(asked.path, headers=desk.admin, json=asked.body).status_code == 200
    return Asked(f"{asked.path}:replay")


def _source(desk: Desk) -> Asked:
    body = {"id": f"workday-{desk.drawn.randrange(10**9)}", "system": "workday", "title": "One"}
    return Asked("/v1/sources", body, body | {"title": "Another"})


def _new_key(_: Desk) -> Asked:
    body = {"name": "errand", "scopes": ["read"]}
    return Asked("/v1/api-keys", body, body | {"scopes": ["write"]})


def _queue(desk: Desk) -> Asked:
    body = {"name": f"errand {desk.drawn.randrange(10**9)}", "ranking": "oldest"}
    return Asked("/v1/queues", body, body | {"ranking": "useful"})


def _ended_queue(desk: Desk) -> Asked:
    return Asked(f"/v1/queues/{desk.post('/v1/queues', _queue(desk).body)['id']}")


def _band(_: Desk) -> Asked:
    band = {"entity_type": "customer", "kinds": ["unsure"]}
    return _both("/v1/bands", {"judgement": "different", "band": band, "sample": 1})


def _target(desk: Desk) -> Asked:
    name = f"books-{desk.drawn.randrange(10**9)}"
    body = BOOKS | {"target": name}
    return Asked(f"/v1/targets/{name}", body, body | {"title": "Other books"})


def _standing(verb: str, *before: str) -> Errand:
    def errand(desk: Desk) -> Asked:
        target = desk.target()
        for one in before:
            desk.post(f"/v1/targets/{target}:{one}", REASON)
        return _both(f"/v1/targets/{target}:{verb}", {})

    return errand


def _plan(_: Desk) -> Asked:
    return Asked(f"/v1/targets/{MATCHED}:backfill", {}, {"dry_run": False})


def _cancel_backfill(desk: Desk) -> Asked:
    desk.post(f"/v1/targets/{MATCHED}:backfill", {"wait": False})
    return Asked(f"/v1/targets/{MATCHED}:cancel-backfill")


def _reconcile(desk: Desk) -> Asked:
    place = f"/v1/targets/{MATCHED}"
    if desk.client.get(place, headers=desk.admin).json()["standing"]["state"] == "backfill":
        desk.post(f"{place}:backfill", {})
        desk.post(f"{place}:backfill", {"dry_run": False})
    return Asked(f"{place}:reconcile", {}, {"repair": "republish"})


def _deal(desk: Desk) -> Asked:
    number = desk.drawn.randrange(10**9)
    named = {"billing name": f"Errand {number} GmbH", "project name": f"{number}", "contract name": f"{number}"}
    fields = FACTS | named | {"vat number": vat_number(number)}
    body = {"source_key": f"salesforce-emea/Opportunity:{number}", "fields": fields}
    return Asked("/v1/deals", body, {**body, "fields": fields | {"amount": "1"}})


def vat_number(number: int) -> str:
    """Write a German VAT number of up to eight digits with its check digit (ISO 7064, mod 11,10)."""
    digits, check = f"{number % 10**8:08d}", 10
    for digit in digits:
        check = ((int(digit) + check) % 10 or 10) * 2 % 11
    return f"DE{digits}{(11 - check) % 10}"


def _approved_deal(desk: Desk) -> Asked:
    deal = desk.deal()
    desk.post(f"/v1/deals/{deal}:retry")  # does the steps up to the approval
    return Asked(f"/v1/deals/{deal}:approve")


def _reserve(desk: Desk) -> Asked:
    number = desk.drawn.randrange(10**8)
    fields = {"name": f"Errand {number} GmbH", "country": "DE", "vat number": vat_number(number)}
    body = {"entity_type": "customer", "source": SOURCES[0], "fields": fields}
    return Asked("/v1/resolve-or-reserve", body, {**body, "minutes": 7})


def _confirmed_reservation(desk: Desk) -> Asked:
    place = f"/v1/reservations/{desk.reservation()}:confirm"
    keys = [f"{SOURCES[0]}/customer:{desk.drawn.randrange(10**9)}" for _ in range(2)]
    return Asked(place, {"source_key": keys[0]}, {"source_key": keys[1]})


def _model(desk: Desk) -> str:
    """Keep a match model that nobody has seen: lines a little apart from those that hold."""
    hub = hub_on(desk.engine)
    with hub.engine.connect() as connection:
        holding = hub.rules.refresh(connection).types["resource"]
        apart = 0.001 * (1 + len(rules_store.select_models(connection, "resource", limit=1000)))
    made = with_lines(holding, holding.model.review_bits, holding.model.match_bits + apart)
    return keep_model(hub, made, Provenance("edited", "a little stricter"), who="test").version


def _activation(desk: Desk) -> Asked:
    body = {"entity_type": "resource", "model": _model(desk), "reason": "test"}
    return Asked("/v1/match-models:activate", body, body | {"reason": "another request"})


def _rollback(desk: Desk) -> Asked:
    desk.post("/v1/match-models:activate", {"entity_type": "resource", "model": _model(desk), "reason": "test"})
    body = {"entity_type": "resource", "reason": "test"}
    return Asked("/v1/match-models:rollback", body, body | {"reason": "another request"})


def _proposed(desk: Desk) -> str:
    """Have a change of rules that waits for a second person."""
    made = Proposal(
        new_proposal_id(),
        "resource",
        Pair(_model(desk), None),
        "test",
        is_forced=False,
        refusals=(),
        state="waiting",
        recorded_at=now(),
        who="x",
    )
    with transaction(desk.engine) as connection:
        waiting = rules_store.select_waiting(connection, "resource")
        if waiting is not None:
            rules_store.settle_proposal(connection, waiting.id, state="rejected", at=now(), who="test")
        rules_store.insert_proposal(connection, made)
    return made.id


ERRANDS: Final[Mapping[tuple[str, str], Errand]] = {
    ("POST", "/v1/source-records"): _records,
    ("POST", "/v1/source-events"): _events,
    ("POST", "/v1/source-events/{event_id}:revoke"): _revoked_event,
    ("PUT", "/v1/golden-records/{golden_id}/overrides/{attribute}"): _override,
    ("DELETE", "/v1/golden-records/{golden_id}/overrides/{attribute}"): _cleared_override,
    ("POST", "/v1/golden-records/{golden_id}:merge"): _merge,
    ("POST", "/v1/golden-records/{golden_id}:split"): _split,
    ("POST", "/v1/golden-records/{golden_id}:move"): _move,
    ("POST", "/v1/golden-records/{golden_id}:unmerge"): _unmerge_record,
    ("POST", "/v1/golden-records/{golden_id}:dissolve"): _dissolve,
    ("POST", "/v1/golden-records/{golden_id}:confirm"): _on("confirm"),
    ("POST", "/v1/golden-records/{golden_id}:retire"): _on("retire"),
    ("POST", "/v1/golden-records/{golden_id}:restore"): _restore,
    ("POST", "/v1/golden-records/{golden_id}:judge"): _judge,
    ("POST", "/v1/merges/{event_id}:unmerge"): lambda desk: _both(f"/v1/merges/{desk.merged()[2]}:unmerge", {}),
    ("POST", "/v1/events/{event_id}:undo"): lambda desk: _both(f"/v1/events/{desk.merged()[2]}:undo", {}),
    ("POST", "/v1/decisions"): _decision,
    ("POST", "/v1/decisions/{decision_id}:revoke"): _revoked_decision,
    ("POST", "/v1/reviews/{review_id}:claim"): lambda desk: Asked(f"/v1/reviews/{desk.review()['id']}:claim"),
    ("POST", "/v1/reviews/{review_id}:release"): _release,
    ("POST", "/v1/reviews/{review_id}:assign"): lambda desk: Asked(
        f"/v1/reviews/{desk.review()['id']}:assign", {"assignee": "group:emea"}, {"assignee": "group:us"}
    ),
    ("POST", "/v1/reviews/{review_id}/comments"): lambda desk: Asked(
        f"/v1/reviews/{desk.review()['id']}/comments", {"comment": "one"}, {"comment": "another"}
    ),
    ("POST", "/v1/reviews/{review_id}:decide"): _answer,
    ("POST", "/v1/reviews/{review_id}:undo"): _undone_answer,
    ("POST", "/v1/reviews/{review_id}:approve"): lambda desk: Asked(f"/v1/reviews/{desk.waiting_answer()}:approve"),
    ("POST", "/v1/reviews/{review_id}:reject"): lambda desk: Asked(f"/v1/reviews/{desk.waiting_answer()}:reject"),
    ("POST", "/v1/reviews:decide"): _answers,
    ("POST", "/v1/match-models:activate"): _activation,
    ("POST", "/v1/match-models:rollback"): _rollback,
    ("POST", "/v1/match-models/proposals/{proposal_id}:approve"): lambda desk: Asked(
        f"/v1/match-models/proposals/{_proposed(desk)}:approve"
    ),
    ("POST", "/v1/match-models/proposals/{proposal_id}:reject"): lambda desk: Asked(
        f"/v1/match-models/proposals/{_proposed(desk)}:reject"
    ),
    ("POST", "/v1/queues"): _queue,
    ("DELETE", "/v1/queues/{queue_id}"): _ended_queue,
    ("POST", "/v1/bands"): _band,
    ("POST", "/v1/bands/{band_id}:accept"): lambda desk: Asked(f"/v1/bands/{desk.band()}:accept"),
    ("POST", "/v1/bands/{band_id}:approve"): lambda desk: Asked(f"/v1/bands/{desk.accepted_band()}:approve"),
    ("POST", "/v1/bands/{band_id}:stop"): lambda desk: Asked(f"/v1/bands/{desk.accepted_band()}:stop"),
    ("PATCH", "/v1/exceptions/{exception_id}"): _mend,
    ("POST", "/v1/exceptions/{exception_id}:replay"): _replay,
    ("POST", "/v1/exceptions/{exception_id}:dismiss"): lambda desk: Asked(f"/v1/exceptions/{desk.exception()}:dismiss"),
    ("PUT", "/v1/targets/{target_id}"): _target,
    ("DELETE", "/v1/targets/{target_id}"): lambda desk: Asked(f"/v1/targets/{desk.target()}"),
    ("POST", "/v1/targets/{target_id}:pause"): _standing("pause"),
    ("POST", "/v1/targets/{target_id}:drain"): _standing("drain"),
    ("POST", "/v1/targets/{target_id}:resume"): _standing("resume", "pause"),
    ("POST", "/v1/targets/{target_id}:backfill"): _plan,
    ("POST", "/v1/targets/{target_id}:cancel-backfill"): _cancel_backfill,
    ("POST", "/v1/targets/{target_id}:reconcile"): _reconcile,
    ("POST", "/v1/deliveries:replay"): lambda desk: _both("/v1/deliveries:replay", {"target": desk.target()}),
    ("POST", "/v1/deliveries:skip"): lambda desk: _both(
        "/v1/deliveries:skip", {"target": desk.target(), "state": "any"}
    ),
    ("POST", "/v1/deals"): _deal,
    ("POST", "/v1/deals/{deal_id}:retry"): lambda desk: Asked(f"/v1/deals/{desk.deal()}:retry"),
    ("POST", "/v1/deals/{deal_id}:approve"): _approved_deal,
    ("POST", "/v1/deals/{deal_id}:cancel"): lambda desk: Asked(f"/v1/deals/{desk.deal()}:cancel"),
    ("POST", "/v1/resolve-or-reserve"): _reserve,
    ("POST", "/v1/reservations/{reservation_id}:confirm"): _confirmed_reservation,
    ("POST", "/v1/reservations/{reservation_id}:abandon"): lambda desk: Asked(
        f"/v1/reservations/{desk.reservation()}:abandon"
    ),
    ("POST", "/v1/sources"): _source,
    ("POST", "/v1/api-keys"): _new_key,
    ("POST", "/v1/api-keys/{key_id}:rotate"): lambda desk: Asked(
        f"/v1/api-keys/{desk.key()}:rotate", {}, {"overlap_s": 60}
    ),
    ("DELETE", "/v1/api-keys/{key_id}"): lambda desk: Asked(f"/v1/api-keys/{desk.key()}"),
}
