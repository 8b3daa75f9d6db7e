"""A hub whose every readable field holds a payload, written by the services that write such fields in earnest.

Each payload is the name of a client and the key of another one; the rest of the fields take them in turn. What the page
tests visit is returned by name.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import cycle
from typing import Any

from sqlalchemy import Engine

from mdm.access import people
from mdm.access.people_model import Standing
from mdm.activation import service as activation
from mdm.connectors.model import Failure
from mdm.db.transaction import run, transaction
from mdm.decisions.model import Verdict
from mdm.decisions.queue_model import QueueAsked
from mdm.decisions.review_model import Review, ReviewFilter
from mdm.delivery import orders, orders_model, targets
from mdm.delivery.model import Dead, DueLane, Settlement
from mdm.delivery.relay import Relay
from mdm.errors import InputInvalid
from mdm.hub import Hub, carry
from mdm.ids import GoldenId, new_proposal_id
from mdm.jobs import mending
from mdm.jobs.rematch import rematch_some
from mdm.jobs.service import deliver
from mdm.modelling.editing import with_lines
from mdm.modelling.model import Asked, Pair, Proposal, Provenance
from mdm.modelling.service import activate, keep_model
from mdm.modelling.store import insert_proposal
from mdm.sources import exceptions
from mdm.sources.exceptions_model import ExceptionFilter
from mdm.sources.model import Delivery, SourceInstance, SourceKey
from mdm.sources.service import register
from mdm.stewardship import queue_bands, queues, reviews
from mdm.stewardship.band_preview import band_preview
from mdm.stewardship.bands import Intended, answer_each
from mdm.stewardship.model import By, Judge, Merge
from mdm.stewardship.operations import perform
from mdm.stewardship.overrides import Wish, set_override
from tests import deals
from tests.browser.hostile_corpus import PAYLOADS
from tests.hubs import EPOCH, golden_by_key, hub_on

TITLE_LENGTH_MAX = 100
INSTANCES = ("crm-east", "crm-west", "erp-one")
PAIRS = 12
SAME = {"vat number": "GB 980 7806 84", "website": "kestrel.example", "phone": "+44 20 7946 0958", "country": "GB"}


@dataclass(frozen=True)
class Hostile:
    """Ids of what there is to look at.

    golden    the record on which everything hangs; `merge` is the event that made `merged` absorb another one
    pair      a question about two golden records, `cluster` one about the records of one, `waiting` one answered
    """

    hub: Hub
    golden: str
    other: str
    key: str
    merge: str
    merged: str
    pair: Review
    cluster: Review
    waiting: Review
    band: str
    rejected: str
    dismissed: str
    person: str
    deals: tuple[str, ...]
    target: str


def hostile_hub(engine: Engine) -> Hostile:
    """Write the whole data set."""
    hub, texts = hub_on(engine), cycle(PAYLOADS[::-1])
    with transaction(engine) as connection:
        for rank, (instance, title) in enumerate(zip(INSTANCES, texts, strict=False), start=1):
            register(
                connection,
                SourceInstance(instance, instance[:3], title, rank, duplicate_free=instance == "erp-one"),
                who=next(texts),
            )
    _deliver(hub, texts, [_client(texts, number, name) for number, name in enumerate(PAYLOADS)])
    _deliver(hub, texts, [_twin(texts, number) for number in range(PAIRS)])
    central = _central(hub, texts)
    asked = _questions(hub, texts)
    merge, merged = _operations(hub, texts, central)
    band = _queues(hub, texts)
    waiting, dismissed = _exceptions(hub, texts)
    found = reviews.list_reviews(hub, ReviewFilter(kinds=("duplicates_in_source",)))
    golden = golden_by_key(hub)
    together = {golden[str(key)] for key in central}
    assert (len(together), len(found)) == (1, 1), (together, found)
    _rules(hub, texts)
    return Hostile(
        hub=hub,
        golden=golden[str(central[0])],
        other=golden[_key("crm-east", PAYLOADS[-1])],
        key=str(central[0]),
        merge=merge,
        merged=merged,
        pair=asked[0],
        cluster=found[0],
        waiting=asked[1],
        band=band,
        rejected=waiting,
        dismissed=dismissed,
        person=_people(engine, texts),
        deals=_deals(hub, texts),
        target=_target(hub, texts),
    )


def _rules(hub: Hub, texts: Iterator[str]) -> None:
    """Keep rules, activate them and ask for others, each for a payload of a reason and by a payload of a name."""
    for step in (0.5, 1.0):
        holding = hub.entity_type("customer")
        made = with_lines(holding, holding.model.review_bits, holding.model.match_bits + step)
        version = keep_model(hub, made, Provenance("edited", next(texts)), who=next(texts)).version
        activate(hub, "customer", Asked(model=version, reason=next(texts), is_forced=True), who=next(texts))
    while rematch_some(hub):
        pass  # the worker of the console would do it beside the pages
    waiting = Proposal(
        new_proposal_id(),
        "customer",
        Pair(None, None),
        next(texts),
        is_forced=True,
        refusals=(next(texts),),
        state="waiting",
        recorded_at=EPOCH,
        who=next(texts),
    )
    with transaction(hub.engine) as connection:
        insert_proposal(connection, waiting)


def _key(instance: str, native_id: str) -> str:
    return str(SourceKey(instance, "Account", "", native_id))


def _client(texts: Iterator[str], number: int, name: str) -> Delivery:
    """Give a client of this name; its key is another payload, and so is whatever else it says."""
    fields: dict[str, Any] = {
        "name": name,
        "city": f"Hull {number}",
        "street": next(texts),
        "website": next(texts),
        "email": next(texts),
        "region": next(texts),
        next(texts): next(texts),
    }
    return Delivery(SourceKey("crm-east", "Account", "", PAYLOADS[number - 1]), "customer", fields, EPOCH)


def _twin(texts: Iterator[str], number: int) -> Delivery:
    """Give another system's client of the same name and town: a question."""
    fields = {"name": PAYLOADS[number * 7], "city": f"Hull {number * 7}", "street": next(texts), "phone": next(texts)}
    return Delivery(SourceKey("crm-west", "Account", "", next(texts)), "customer", fields, EPOCH)


def _deliver(hub: Hub, texts: Iterator[str], deliveries: list[Delivery]) -> None:
    outcomes = deliver(hub, deliveries, who=next(texts))
    assert {one.status for one in outcomes} == {"created"}, [one for one in outcomes if one.status == "rejected"]


def _central(hub: Hub, texts: Iterator[str]) -> list[SourceKey]:
    """Deliver one client three times, twice by the system that holds each thing once, with project and contract."""
    keys = [SourceKey(instance, "Account", "", next(texts)) for instance in ("erp-one", "erp-one", "crm-west")]
    parent = SourceKey("erp-one", "Account", "", next(texts))
    name, city = next(texts), next(texts)
    clients = [Delivery(parent, "customer", {"name": next(texts), "city": "Bonn"}, EPOCH)]
    for key in keys:
        fields = {
            "name": name,
            "trading names": [next(texts) for _ in range(3)],
            "former names": next(texts),
            "street": next(texts),
            "city": city,
            "addresses": [{"kind": next(texts), "street": next(texts), "city": next(texts)}],
            "industry": next(texts),
            "parent": parent.native_id,
            next(texts): next(texts),
        }
        clients.append(Delivery(key, "customer", fields | SAME, EPOCH))
    _deliver(hub, texts, clients)
    belongs = {"customer": keys[0].native_id, "status": "active"}
    work = [
        Delivery(SourceKey("erp-one", "Project", "", next(texts)), "project", _named(texts) | belongs, EPOCH),
        Delivery(SourceKey("erp-one", "Contract", "", next(texts)), "contract", _named(texts) | belongs, EPOCH),
    ]
    _deliver(hub, texts, work)
    return keys


def _named(texts: Iterator[str]) -> dict[str, Any]:
    return {"name": next(texts), "code": next(texts), "number": next(texts)}


def _questions(hub: Hub, texts: Iterator[str]) -> list[Review]:
    """Comment, assign and answer; the second question waits for another person."""
    found = list(reviews.list_reviews(hub, ReviewFilter(kinds=("possible_match",))))
    assert len(found) >= PAIRS
    first, second, third = found[:3]
    for remark in (one for one in PAYLOADS if not one.isprintable()):  # a note is kept letter by letter
        with transaction(hub.engine) as connection:
            reviews.comment(connection, first.id, remark, who=next(texts))
    run(hub.engine, lambda c: reviews.assign(c, third.id, _printable(texts)))
    proposed = [Intended(second.id, second.versions, Verdict("related", next(texts), "sister_of"))]
    who = next(texts)
    carry(hub, lambda work: answer_each(work, proposed, bulk_id="", waits_because=next(texts)), who=who)
    run(hub.engine, lambda c: reviews.claim(c, found[3].id, minutes=30, who=next(texts)))
    return [reviews.get_review(hub, one.id) for one in (first, second)]


def _operations(hub: Hub, texts: Iterator[str], central: list[SourceKey]) -> tuple[str, str]:
    """Merge two others, relate and override the central record; each with its reason."""
    golden = golden_by_key(hub)
    own = GoldenId(golden[str(central[0])])
    absorbed, related, stays = (GoldenId(golden[_key("crm-east", PAYLOADS[place])]) for place in (50, 51, 52))
    merged = perform(hub, Merge(stays, absorbed, stays), By(next(texts), next(texts)))
    perform(hub, Judge(own, related, Verdict("related", next(texts), "parent_of")), By(next(texts), next(texts)))
    for attribute in ("legal_name", "street", "street", "trading_names"):
        value = [next(texts), next(texts)] if attribute == "trading_names" else next(texts)
        set_override(hub, own, Wish(attribute, value, next(texts)), who=next(texts))
    return merged.event_id, stays


def _queues(hub: Hub, texts: Iterator[str]) -> str:
    """Keep queues that everybody sees, and look at a band that is stopped."""
    for _ in range(24):
        with transaction(hub.engine) as connection:
            queues.save_queue(connection, _printable(texts), QueueAsked(), who=next(texts), is_shared=True)
    who = next(texts)
    asked = ReviewFilter(entity_types=("customer",), kinds=("possible_match",))
    seen = band_preview(hub, asked, Verdict("different", next(texts)), who=who)
    queue_bands.accept_band(hub, seen.id, who=who)
    queue_bands.stop_band(hub, seen.id, who=next(texts))
    return seen.id


def _printable(texts: Iterator[str]) -> str:
    """Give the next payload that the hub takes where it asks for letters that can be printed."""
    return next(text for text in texts if text.isprintable() and len(text) <= queues.NAME_LENGTH_MAX)


def _exceptions(hub: Hub, texts: Iterator[str]) -> tuple[str, str]:
    """Deliver what is refused: no name, and words that no list knows; one of them is dismissed with a reason."""
    for place in range(4):
        faulty = []
        for number in range(6):
            fields: Mapping[str, Any] = {"country": next(texts), "currency": next(texts), next(texts): next(texts)}
            faulty.append(Delivery(SourceKey("crm-east", "Lead", "", next(texts)), "customer", fields))
            named = {"name": next(texts), "country": next(texts), "vat number": next(texts)}
            faulty.append(Delivery(SourceKey("crm-west", "Lead", "", f"L{place}.{number}"), "customer", named))
        deliver(hub, faulty, who=next(texts))
    open_ = run(hub.engine, lambda c: exceptions.listed_by(c, ExceptionFilter(kind="rejected"), limit=50))
    assert len(open_) > 12
    mending.dismiss(hub, open_[1].id, note=next(texts), who=next(texts))
    return open_[0].id, open_[1].id


def _deals(hub: Hub, texts: Iterator[str]) -> tuple[str, ...]:
    """Tell of deals: one whose facts are complete, one that waits with what is missing, one that is cancelled."""
    deals.prepare(hub)
    readable = ("billing_name", "city", "project_name", "contract_name")
    told = []
    for number, lacking in enumerate(({}, {"billing_name": None}, {})):
        facts = {name: next(texts) for name in readable} | lacking
        opportunity = str(SourceKey("salesforce-emea", "Opportunity", "", f"{number}{next(texts)}"))
        told.append(deals.follow(hub, deals.tell(hub, opportunity, who=next(texts), **facts)))
    cancelled = activation.cancel(hub, told[-1].id, who=next(texts))
    return tuple(one.id for one in (*told[:-1], cancelled))


def _target(hub: Hub, texts: Iterator[str]) -> str:
    """Declare a target of such a title, which refuses in such words, and let somebody leave some of it out."""
    content = {
        "target": "news",
        "title": next(text for text in texts if len(text) < TITLE_LENGTH_MAX),
        "kind": "webhook",
        "connection": {"url": "https://example.com", "secret": "MDM_SECRET_NEWS"},
        "events": {"entities": ["customer"]},
    }
    declaration = targets.check_target(hub, content)
    run(hub.engine, lambda c: targets.apply_declaration(c, declaration, content, who=next(texts)))

    def refuse(lanes: Sequence[DueLane], _: datetime) -> tuple[list[Settlement], list[Failure]]:
        return [Dead(lane, "refused", next(texts)) for lane in lanes], []

    while Relay(hub, declaration, refuse, 40).turn():
        pass
    one = run(hub.engine, lambda c: orders.lane_lines(c, ["news"], state="dead"))[0]
    skipped = orders_model.Asked(one.golden_id)
    run(hub.engine, lambda c: orders.skip(c, "news", skipped, reason=next(texts), who=next(texts)))
    run(hub.engine, lambda c: targets.let_stand(c, "news", "paused", reason=next(texts), who=next(texts)))
    return "news"


def _people(engine: Engine, texts: Iterator[str]) -> str:
    """Add people of such names, as far as the hub takes them; logins are of plain letters only."""
    found = ""
    for number in range(24):
        with transaction(engine) as connection:
            try:
                person = people.add_person(
                    connection, f"p{number}", name=next(texts), standing=Standing("viewer"), by=next(texts)
                )
            except InputInvalid:
                continue
            found = person.id
    return found
