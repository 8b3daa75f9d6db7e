"""What each route needs: the one place to read who may do what, and how much they may send.

A route without a line here does not start. The verb is the first question; routes limited by entity type or source ask
again once they know which (`dependencies.Caller`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from mdm.access.model import Verb

# none: no body is expected · small: one thing (1 MB) · batch: many things (8 MB) · file: a form with one file, as large
# as a batch. The bounds are settings.
Size = Literal["none", "small", "batch", "file"]


@dataclass(frozen=True, slots=True)
class Access:
    """The needs of one route: a verb (None: public), the size of its body, whether it changes anything.

    is_hot   its function takes the request alone and is called without FastAPI's own handling, which costs 60 µs
    counted  the list in its body whose entries cost the caller a token of a bulk rate each
    """

    verb: Verb | None
    body: Size = "none"
    is_unsafe: bool = False
    is_hot: bool = False
    counted: str | None = None


_PUBLIC: Final = Access(None)
_READ: Final = Access("read")
_WRITE: Final = Access("write", body="small", is_unsafe=True)
_STEWARD: Final = Access("steward", body="small", is_unsafe=True)
_LEAD: Final = Access("lead", body="small", is_unsafe=True)
_ADMIN: Final = Access("admin", body="small", is_unsafe=True)
# Forms of the console: a page's own session asks, see api/console/page.py.
_PUBLIC_FORM: Final = Access(None, body="small", is_unsafe=True)
_OWN_FORM: Final = Access("read", body="small", is_unsafe=True)
_LEAD_FORM: Final = Access("lead", body="small", is_unsafe=True)

ACCESS: Final[Mapping[tuple[str, str], Access]] = {
    ("GET", "/healthz"): _PUBLIC,
    ("GET", "/readyz"): _PUBLIC,
    ("GET", "/metrics"): _PUBLIC,
    ("GET", "/static/{digest}/{name}"): _PUBLIC,
    ("GET", "/sign-in"): _PUBLIC,
    ("POST", "/sign-in"): _PUBLIC_FORM,
    ("GET", "/sign-in/link/{token}"): _PUBLIC,
    ("POST", "/sign-in/link/{token}"): _PUBLIC_FORM,
    ("GET", "/sign-in/oidc"): _PUBLIC,
    ("GET", "/sign-in/oidc/callback"): _PUBLIC,
    ("POST", "/sign-out"): _OWN_FORM,
    ("GET", "/"): _READ,
    ("GET", "/me"): _READ,
    ("POST", "/me"): _OWN_FORM,
    ("POST", "/me/theme"): _OWN_FORM,
    ("POST", "/me/password"): _OWN_FORM,
    ("GET", "/review"): Access("steward"),
    ("GET", "/review/people"): Access("steward"),
    ("GET", "/review/ahead"): Access("steward"),
    ("GET", "/review/{review_id}"): Access("steward"),
    ("POST", "/review/undo"): _STEWARD,
    ("POST", "/review/{review_id}/decide"): _STEWARD,
    ("POST", "/review/{review_id}/pick"): _STEWARD,
    ("POST", "/review/{review_id}/skip"): _STEWARD,
    ("POST", "/review/{review_id}/claim"): _STEWARD,
    ("POST", "/review/{review_id}/release"): _STEWARD,
    ("POST", "/review/{review_id}/renew"): _STEWARD,
    ("POST", "/review/{review_id}/assign"): _STEWARD,
    ("POST", "/review/{review_id}/comment"): _STEWARD,
    ("POST", "/review/{review_id}/approve"): _STEWARD,
    ("POST", "/review/{review_id}/reject"): _STEWARD,
    ("POST", "/review/{review_id}/withdraw"): _STEWARD,
    ("GET", "/find"): _READ,
    ("GET", "/records"): _READ,
    ("GET", "/exceptions"): Access("steward"),
    ("GET", "/exceptions/{exception_id}"): Access("steward"),
    ("POST", "/exceptions/{exception_id}/try"): _STEWARD,
    ("POST", "/exceptions/{exception_id}/deliver"): _STEWARD,
    ("POST", "/exceptions/{exception_id}/dismiss"): _STEWARD,
    ("POST", "/exceptions:group"): _STEWARD,
    ("GET", "/activation"): _READ,
    ("GET", "/activation/{deal_id}"): _READ,
    ("POST", "/activation/{deal_id}/approve"): _STEWARD,
    ("POST", "/activation/{deal_id}/retry"): _STEWARD,
    ("POST", "/activation/{deal_id}/cancel"): _STEWARD,
    ("GET", "/targets"): _READ,
    ("GET", "/targets/{target_id}"): _READ,
    ("POST", "/targets/{target_id}/stand"): _LEAD_FORM,
    ("GET", "/targets/{target_id}/order"): Access("steward"),
    ("POST", "/targets/{target_id}/order"): _STEWARD,
    ("GET", "/people"): Access("admin"),
    ("POST", "/people"): _ADMIN,
    ("GET", "/people/{person_id}"): Access("admin"),
    ("POST", "/people/{person_id}"): _ADMIN,
    ("POST", "/people/{person_id}/link"): _ADMIN,
    ("POST", "/people/{person_id}/sign-out"): _ADMIN,
    ("GET", "/queue"): Access("steward"),
    ("POST", "/queue/saved"): _STEWARD,
    ("POST", "/queue/saved/{queue_id}/end"): _STEWARD,
    ("POST", "/queue/settle"): _LEAD_FORM,
    ("POST", "/queue/bands"): _STEWARD,
    ("GET", "/queue/bands/{band_id}"): Access("steward"),
    ("POST", "/queue/bands/{band_id}/accept"): _STEWARD,
    ("POST", "/queue/bands/{band_id}/approve"): _LEAD_FORM,
    ("POST", "/queue/bands/{band_id}/stop"): _STEWARD,
    ("GET", "/queue/sheet"): Access("steward"),
    ("POST", "/queue/sheet"): Access("steward", body="file", is_unsafe=True),
    ("GET", "/records/by-key"): _READ,
    ("GET", "/records/{golden_id}"): _READ,
    ("GET", "/records/{golden_id}/payload"): _READ,
    ("GET", "/records/{golden_id}/pointing/{entity_type}"): _READ,
    ("GET", "/records/{golden_id}/history"): _READ,
    ("GET", "/records/{golden_id}/why"): _READ,
    ("GET", "/records/{golden_id}/do/{act}"): Access("steward"),
    ("POST", "/records/{golden_id}/do/{act}"): _STEWARD,
    ("GET", "/records/{golden_id}/undo/{event_id}"): Access("steward"),
    ("POST", "/records/{golden_id}/undo/{event_id}"): _STEWARD,
    ("GET", "/records/{golden_id}/values/{attribute}"): Access("steward"),
    ("POST", "/records/{golden_id}/values/{attribute}"): _STEWARD,
    ("GET", "/docs"): _PUBLIC,
    ("GET", "/docs/{name}"): _PUBLIC,
    ("GET", "/openapi.json"): _PUBLIC,
    ("POST", "/v1/source-records"): Access("write", body="batch", is_unsafe=True, counted="records"),
    ("GET", "/asyncapi.json"): _PUBLIC,
    ("GET", "/v1/source-records/life"): _READ,
    ("POST", "/v1/source-events"): Access("write", body="batch", is_unsafe=True, counted="events"),
    ("GET", "/v1/source-events"): _READ,
    ("POST", "/v1/source-events/{event_id}:revoke"): Access("steward", is_unsafe=True),
    ("GET", "/v1/find"): _READ,
    ("GET", "/v1/golden-records"): _READ,
    ("GET", "/v1/golden-records/{golden_id}"): Access("read", is_hot=True),
    ("GET", "/v1/golden-records/{golden_id}/history"): _READ,
    ("GET", "/v1/golden-records/{golden_id}/lineage"): _READ,
    ("GET", "/v1/golden-records/{golden_id}/relations"): _READ,
    ("GET", "/v1/golden-records/{golden_id}/overrides"): _READ,
    ("PUT", "/v1/golden-records/{golden_id}/overrides/{attribute}"): _STEWARD,
    ("DELETE", "/v1/golden-records/{golden_id}/overrides/{attribute}"): Access("steward", is_unsafe=True),
    ("GET", "/v1/overrides"): _READ,
    ("POST", "/v1/golden-records/{golden_id}:merge"): _STEWARD,
    ("POST", "/v1/golden-records/{golden_id}:split"): _STEWARD,
    ("POST", "/v1/golden-records/{golden_id}:move"): _STEWARD,
    ("POST", "/v1/golden-records/{golden_id}:unmerge"): _STEWARD,
    ("POST", "/v1/golden-records/{golden_id}:dissolve"): _STEWARD,
    ("POST", "/v1/golden-records/{golden_id}:confirm"): _STEWARD,
    ("POST", "/v1/golden-records/{golden_id}:retire"): _STEWARD,
    ("POST", "/v1/golden-records/{golden_id}:restore"): _STEWARD,
    ("POST", "/v1/golden-records/{golden_id}:judge"): _STEWARD,
    ("POST", "/v1/merges/{event_id}:unmerge"): _STEWARD,
    ("POST", "/v1/events/{event_id}:undo"): _STEWARD,
    ("GET", "/v1/golden-records/{golden_id}/life"): _READ,
    ("GET", "/v1/golden-records/{golden_id}/story"): _READ,
    ("GET", "/v1/golden-records/{golden_id}/graph"): _READ,
    ("GET", "/v1/golden-records/{golden_id}/members"): _READ,
    ("GET", "/v1/golden-records/{golden_id}/names"): _READ,
    ("GET", "/v1/events/{event_id}"): _READ,
    ("GET", "/v1/why"): _READ,
    ("GET", "/v1/crosswalk"): Access("read", is_hot=True),
    ("POST", "/v1/crosswalk:resolve"): Access("read", body="batch", counted="keys"),
    ("POST", "/v1/match"): Access("read", body="small"),
    ("POST", "/v1/resolve-or-reserve"): _WRITE,
    ("GET", "/v1/reservations"): _READ,
    ("GET", "/v1/reservations/{reservation_id}"): _READ,
    ("POST", "/v1/reservations/{reservation_id}:confirm"): _WRITE,
    ("POST", "/v1/reservations/{reservation_id}:abandon"): Access("write", is_unsafe=True),
    ("POST", "/v1/deals"): _WRITE,
    ("GET", "/v1/deals"): _READ,
    ("GET", "/v1/deals/{deal_id}"): _READ,
    ("POST", "/v1/deals/{deal_id}:approve"): Access("steward", is_unsafe=True),
    ("POST", "/v1/deals/{deal_id}:retry"): Access("write", is_unsafe=True),
    ("POST", "/v1/deals/{deal_id}:cancel"): Access("steward", is_unsafe=True),
    ("POST", "/v1/decisions"): _STEWARD,
    ("GET", "/v1/decisions"): _READ,
    ("POST", "/v1/decisions/{decision_id}:revoke"): Access("steward", is_unsafe=True),
    ("GET", "/v1/reviews"): Access("steward"),
    ("GET", "/v1/reviews:counts"): Access("steward"),
    ("GET", "/v1/reviews/{review_id}"): Access("steward"),
    ("POST", "/v1/reviews/{review_id}:claim"): Access("steward", is_unsafe=True),
    ("POST", "/v1/reviews/{review_id}:release"): Access("steward", is_unsafe=True),
    ("POST", "/v1/reviews/{review_id}:assign"): _STEWARD,
    ("POST", "/v1/reviews/{review_id}/comments"): _STEWARD,
    ("POST", "/v1/reviews/{review_id}:decide"): _STEWARD,
    ("POST", "/v1/reviews/{review_id}:undo"): Access("steward", is_unsafe=True),
    ("POST", "/v1/reviews/{review_id}:approve"): Access("steward", is_unsafe=True),
    ("POST", "/v1/reviews/{review_id}:reject"): Access("steward", is_unsafe=True),
    ("POST", "/v1/reviews:decide"): Access("steward", body="batch", is_unsafe=True, counted="reviews"),
    ("GET", "/v1/queues"): Access("steward"),
    ("POST", "/v1/queues"): _STEWARD,
    ("DELETE", "/v1/queues/{queue_id}"): Access("steward", is_unsafe=True),
    ("GET", "/v1/queues/{queue_id}/reviews"): Access("steward"),
    ("GET", "/v1/bands"): Access("steward"),
    ("POST", "/v1/bands"): _STEWARD,
    ("GET", "/v1/bands/{band_id}"): Access("steward"),
    ("POST", "/v1/bands/{band_id}:accept"): Access("steward", is_unsafe=True),
    ("POST", "/v1/bands/{band_id}:approve"): Access("lead", is_unsafe=True),
    ("POST", "/v1/bands/{band_id}:stop"): Access("steward", is_unsafe=True),
    ("GET", "/v1/exceptions"): Access("steward"),
    ("GET", "/v1/exceptions/{exception_id}"): Access("steward"),
    ("PATCH", "/v1/exceptions/{exception_id}"): _STEWARD,
    ("POST", "/v1/exceptions/{exception_id}:replay"): Access("steward", is_unsafe=True),
    ("POST", "/v1/exceptions/{exception_id}:dismiss"): Access("steward", is_unsafe=True),
    ("GET", "/v1/changes"): _READ,
    ("GET", "/v1/targets"): _READ,
    ("GET", "/v1/targets/{target_id}"): _READ,
    ("PUT", "/v1/targets/{target_id}"): _ADMIN,
    ("DELETE", "/v1/targets/{target_id}"): Access("admin", is_unsafe=True),
    ("POST", "/v1/targets/{target_id}:pause"): _LEAD,
    ("POST", "/v1/targets/{target_id}:resume"): _LEAD,
    ("POST", "/v1/targets/{target_id}:drain"): _LEAD,
    ("POST", "/v1/targets/{target_id}:backfill"): _LEAD,
    ("GET", "/v1/targets/{target_id}/drift"): _READ,
    ("POST", "/v1/targets/{target_id}:reconcile"): _LEAD,
    ("GET", "/v1/deliveries"): _READ,
    ("GET", "/v1/deliveries/history"): _READ,
    ("POST", "/v1/deliveries:replay"): _STEWARD,
    ("POST", "/v1/deliveries:skip"): _STEWARD,
    ("GET", "/v1/sources"): _READ,
    ("POST", "/v1/sources"): _ADMIN,
    ("GET", "/v1/audit"): Access("admin"),
    ("GET", "/v1/api-keys"): Access("admin"),
    ("POST", "/v1/api-keys"): _ADMIN,
    ("POST", "/v1/api-keys/{key_id}:rotate"): _ADMIN,
    ("DELETE", "/v1/api-keys/{key_id}"): Access("admin", is_unsafe=True),
}
