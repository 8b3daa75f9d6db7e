"""Routes of idempotent create: ask before creating, confirm with the new key, or abandon."""

from typing import Annotated, Literal

import orjson
from fastapi import APIRouter, Depends, Query, Response

from api.dependencies import Asker, Caller, TheHub, Unsafe
from api.pagination import PAGE_SIZE, After, EntityTypeName, Limit, page, read_cursor
from api.route import HubRoute
from api.routes.match import candidate_told
from api.schemas.reservations import ConfirmAsked, ConfirmedTold, ReservationTold, ReserveAsked, ResolvedTold
from api.schemas.shape import Page, SourceId
from mdm.activation.reservation_model import Confirmed, Reservation, ReservationFilter, Resolved, Wanted
from mdm.activation.reservations import (
    abandon,
    confirm,
    list_reservations,
    require_reservation,
    resolve_or_reserve,
)
from mdm.db.transaction import reading
from mdm.errors import Forbidden, ReservationUnknown
from mdm.hub import Hub
from mdm.sources.model import SourceKey

router = APIRouter(route_class=HubRoute, tags=["Reservations"])

State = Annotated[
    Literal["open", "confirmed", "abandoned", "expired"] | None, Query(description="Only these; all when left out.")
]


@router.post("/v1/resolve-or-reserve", operation_id="resolve_or_reserve", response_model=ResolvedTold)
def ask_to_create(asked: ReserveAsked, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Ask before you create a record in a system: it exists, it is reserved for you, or a steward is asked.

    Of many callers one is told to create; the others get the golden id, who creates it, and when to ask again.
    """
    asker.require("write", entity_type=asked.entity_type, source=asked.source)
    wanted = Wanted(
        asked.entity_type,
        asked.source,
        asked.fields,
        asked.reference,
        asked.minutes,
        readable=asker.principal.sources("read", asked.entity_type),
    )
    response = once.around(
        lambda bracket: resolve_or_reserve(hub, wanted, who=asker.name, bracket=bracket), _resolved_told
    )
    seconds = orjson.loads(response.body).get("retry_after_s")
    if seconds is not None:
        response.headers["retry-after"] = str(seconds)
    return response


def _filter(
    state: State = None,
    source: Annotated[SourceId | None, Query(description="Source instance; all when left out.")] = None,
    entity_type: EntityTypeName = None,
) -> ReservationFilter:
    return ReservationFilter(state, source, entity_type)


@router.get("/v1/reservations", operation_id="list_reservations", response_model_exclude_none=True)
def read_reservations(
    hub: TheHub,
    asker: Asker,
    asked: Annotated[ReservationFilter, Depends(_filter)],
    after: After = None,
    limit: Limit = PAGE_SIZE,
) -> Page[ReservationTold]:
    """List reservations in the order they were made."""
    asker.require("read", entity_type=asked.entity_type, source=asked.source)
    of = f"reservations?{asked}"
    position = read_cursor(after, of=of)
    with reading(hub.engine) as connection:
        seen = str(position[0]) if position else ""
        found = list_reservations(connection, asked, after=seen, limit=limit + 1)
    return page([_told(one) for one in found], limit, of, lambda last: (last.id,))


@router.get("/v1/reservations/{reservation_id}", operation_id="read_reservation", response_model_exclude_none=True)
def read_reservation(reservation_id: str, hub: TheHub, asker: Asker) -> ReservationTold:
    """Read one reservation."""
    found = _found(hub, reservation_id)
    if not any(
        asker.principal.may(verb, entity_type=found.entity_type, source=found.source) for verb in ("read", "write")
    ):
        raise ReservationUnknown(reservation_id)
    return _told(found)


@router.post(
    "/v1/reservations/{reservation_id}:confirm", operation_id="confirm_reservation", response_model=ConfirmedTold
)
def confirm_reservation(reservation_id: str, asked: ConfirmAsked, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Say under which key the record was created: the key belongs to the golden record that was reserved.

    One that expired meanwhile may be confirmed still; its golden record comes back under the same id.
    """
    key = SourceKey.parse(asked.source_key)
    _require_holder(hub, reservation_id, asker)
    return once.around(
        lambda bracket: confirm(hub, reservation_id, key, who=asker.name, bracket=bracket), _confirmed_told
    )


@router.post(
    "/v1/reservations/{reservation_id}:abandon", operation_id="abandon_reservation", response_model=ReservationTold
)
def abandon_reservation(reservation_id: str, hub: TheHub, asker: Asker, once: Unsafe) -> Response:
    """Give a reservation up: nothing was created, the next caller may. The golden id still resolves."""
    _require_holder(hub, reservation_id, asker)
    return once.around(lambda bracket: abandon(hub, reservation_id, who=asker.name, bracket=bracket), _told)


def _found(hub: Hub, reservation_id: str) -> Reservation:
    with reading(hub.engine) as connection:
        return require_reservation(connection, reservation_id)


def _require_holder(hub: Hub, reservation_id: str, asker: Caller) -> None:
    """Let the holder end a reservation, and stewards; to whoever may not write there it is unknown."""
    found = _found(hub, reservation_id)
    if asker.principal.may("steward", entity_type=found.entity_type, source=found.source):
        return
    if not asker.principal.may("write", entity_type=found.entity_type, source=found.source):
        raise ReservationUnknown(reservation_id)
    if found.who != asker.name:
        raise Forbidden(
            f"reservation {found.id} is held by {found.who}",
            remedy="wait until it ends, or ask a steward to abandon it",
        )


def _resolved_told(answer: Resolved) -> ResolvedTold:
    return ResolvedTold(
        status=answer.status,
        golden_id=answer.golden_id,
        is_new=answer.is_new,
        keys=[str(key) for key in answer.keys],
        reservation=None if answer.reservation is None else _told(answer.reservation),
        reviews=list(answer.reviews),
        candidates=[candidate_told(candidate) for candidate in answer.candidates],
        retry_after_s=answer.retry_after_s,
    )


def _confirmed_told(confirmed: Confirmed) -> ConfirmedTold:
    return ConfirmedTold(
        reservation=_told(confirmed.reservation), golden_id=confirmed.golden_id, is_joined=confirmed.is_joined
    )


def _told(found: Reservation) -> ReservationTold:
    return ReservationTold(
        id=found.id,
        entity_type=found.entity_type,
        source=found.source,
        golden_id=found.golden_id,
        state=found.state,
        held_by=found.who,
        reference=found.reference or None,
        source_key=None if found.source_key is None else str(found.source_key),
        recorded_at=found.recorded_at,
        expires_at=found.expires_at,
        ended_at=found.ended_at,
        ended_by=found.ended_by,
    )
