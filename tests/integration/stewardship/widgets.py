"""Widgets to ask questions about, and what stewards do with the questions. A shared code is 10 bits, a name 4."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from mdm import clock
from mdm.db.transaction import run
from mdm.decisions.model import Verdict
from mdm.decisions.review_model import Review, ReviewFilter, ReviewState
from mdm.entities.model import ReviewPolicy
from mdm.hub import Hub
from mdm.identity import store as identity_store
from mdm.ids import GoldenId
from mdm.jobs.service import deliver
from mdm.publishing.model import Event
from mdm.publishing.service import changes
from mdm.sources.model import SourceKey
from mdm.stewardship import reviews, service
from tests.hubs import delivery, golden_by_key, let_others_end

A, B, C, D, E, F = (f"crm-east/Account:{letter}" for letter in "abcdef")


def with_policy(hub: Hub, policy: ReviewPolicy) -> Hub:
    """Give the same hub with another policy of reviews for widgets."""
    widget = replace(hub.declared["widget_hold"], reviews=policy)
    return Hub(hub.engine, {**hub.declared, "widget_hold": widget}, hub.settings)


def send(hub: Hub, key: str, **fields: Any) -> None:
    (outcome,) = deliver(hub, [delivery(key, "widget_hold", **fields)], who="test")
    assert outcome.status != "rejected"


def delete(hub: Hub, *keys: str) -> None:
    deliver(hub, [delivery(key, "widget_hold", deleted=True) for key in keys], who="test")


def decide(hub: Hub, left: str, right: str, judgement: Any, **said: Any) -> Any:
    verdict = Verdict(judgement, "seen", **said)
    return service.decide(hub, SourceKey.parse(left), SourceKey.parse(right), verdict, who="ann")


def acknowledge(hub: Hub, *keys: str) -> None:
    """Let a target acknowledge the golden records of these keys: they are established from now on."""
    golden = golden_by_key(hub)
    ids = [GoldenId(golden[key]) for key in keys]
    run(hub.engine, lambda connection: identity_store.mark_published(connection, ids, at=clock.now()))


def asked(hub: Hub, state: ReviewState = "open") -> list[tuple[str, str]]:
    """Give kind and the two letters of each review, sorted."""
    found = reviews.list_reviews(hub, ReviewFilter(state=state))
    return sorted((one.kind, "".join(sorted(one.left_key[-1] + one.right_key[-1]))) for one in found)


def the_review(hub: Hub, kind: str = "possible_match", state: ReviewState = "open") -> Review:
    (found,) = [one for one in reviews.list_reviews(hub, ReviewFilter(state=state)) if one.kind == kind]
    return found


def possible_matches(hub: Hub, names: Iterable[str]) -> list[Review]:
    """Send two records of each name, and give the reviews that ask about them, by name."""
    names = list(names)
    for number, name in enumerate(names):
        two = [delivery(f"crm-{place}/Account:{number}", "widget_hold", name=name) for place in ("east", "west")]
        deliver(hub, two, who="test")
    by_key = {one.left_key: one for one in reviews.list_reviews(hub)}
    return [by_key[f"crm-east/Account:{number}"] for number in range(len(names))]


def feed(hub: Hub) -> list[Event]:
    """Give the turns of reviews that the change feed tells."""
    let_others_end(hub.engine)
    events, _ = run(hub.engine, lambda connection: changes(connection, after=None, limit=500))
    return [one for one in events if one.review_id is not None]
