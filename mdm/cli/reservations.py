"""`mdm reservations`: what somebody is about to create in a system, and who."""

from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from mdm.cli.options import AsJson, Entity, Limit, MaybeEntity

if TYPE_CHECKING:
    from mdm.activation.reservation_model import Reservation, ReservationState

app = typer.Typer()

Id = Annotated[str, typer.Argument(help="Id of the reservation.", metavar="ID")]


@app.command("make")
def make(
    fields: Annotated[list[str], typer.Argument(help="COLUMN=VALUE of the new record.", metavar="COLUMN=VALUE...")],
    source: Annotated[str, typer.Option("--source", "-s", help="Source instance in which it is to be created.")],
    entity: Entity = "customer",
    reference: Annotated[str, typer.Option(help="Your own name for this create: it gives you yours back.")] = "",
    minutes: Annotated[int | None, typer.Option(min=1, max=43_200, help="How long it is held.")] = None,
    as_json: AsJson = False,
) -> None:
    """Ask before a record is created: it exists, it is reserved for you, or a steward is asked."""
    from mdm.activation.reservation_model import Wanted
    from mdm.activation.reservations import resolve_or_reserve
    from mdm.cli.output import print_facts, print_json
    from mdm.cli.session import session, who

    pairs = [each.partition("=") for each in fields]
    if wrong := [column for column, sign, _ in pairs if not (column and sign)]:
        raise typer.BadParameter(f"{wrong[0]!r} is not COLUMN=VALUE", param_hint="COLUMN=VALUE")
    values = {column: value for column, _, value in pairs}
    with session() as hub:
        answer = resolve_or_reserve(hub, Wanted(entity, source, values, reference, minutes), who=who())
    held = answer.reservation
    told: dict[str, Any] = {
        "status": answer.status,
        "golden_id": answer.golden_id,
        "keys": [str(key) for key in answer.keys],
        "reservation": None if held is None else _told(held),
        "reviews": list(answer.reviews),
        "candidates": [{"golden_id": one.golden_id, "bits": one.explanation.bits} for one in answer.candidates],
        "retry_after_s": answer.retry_after_s,
    }
    if as_json:
        print_json(told)
        return
    print_facts(
        {
            "status": answer.status,
            "golden id": answer.golden_id,
            "keys": ", ".join(told["keys"]) or None,
            "reservation": None if held is None else f"{held.id}, {held.state}, held by {held.who}",
            "reviews": ", ".join(answer.reviews) or None,
            "what to do": _WHAT_TO_DO[answer.status if answer.keys or answer.status != "existing" else "created"],
        }
    )


_WHAT_TO_DO = {
    "existing": "use it; do not create it",
    "created": "wait: somebody creates it at this moment",
    "reserved": "create it, then `mdm reservations confirm ID KEY`",
    "review": "wait until a steward has answered, then ask again",
}


@app.command("list")
def list_(
    state: Annotated[str, typer.Option(help="open, confirmed, abandoned, expired, or all.")] = "open",
    source: Annotated[str | None, typer.Option("--source", "-s", help="Only for this source instance.")] = None,
    entity: MaybeEntity = None,
    limit: Limit = 100,
    as_json: AsJson = False,
) -> None:
    """List reservations in the order they were made."""
    from mdm.activation.reservation_model import ReservationFilter
    from mdm.activation.reservations import list_reservations
    from mdm.cli.output import print_lines, print_list
    from mdm.cli.session import session
    from mdm.db.transaction import reading

    if state not in {"open", "confirmed", "abandoned", "expired", "all"}:
        raise typer.BadParameter("choose open, confirmed, abandoned, expired or all", param_hint="--state")
    chosen = None if state == "all" else cast("ReservationState", state)
    with session() as hub, reading(hub.engine) as connection:
        found = list_reservations(connection, ReservationFilter(chosen, source, entity), limit=limit)
    if as_json:
        print_lines(_told(one) for one in found)
        return
    rows = [
        (one.id, one.state, one.entity_type, one.source, one.source_key or one.golden_id, one.who, one.expires_at)
        for one in found
    ]
    columns = ["id", "state", "entity", "for", "key or golden id", "held by", "until"]
    print_list(columns, rows, of="reservations")


@app.command("confirm")
def confirm(
    reservation: Id,
    key: Annotated[str, typer.Argument(help="Source key of the record that was created.", metavar="KEY")],
    as_json: AsJson = False,
) -> None:
    """Say under which key the record was created; also after its time is over."""
    from mdm.activation import reservations
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who
    from mdm.sources.model import SourceKey

    source_key = SourceKey.parse(key)
    with session() as hub:
        confirmed = reservations.confirm(hub, reservation, source_key, who=who())
    if as_json:
        told = {"golden_id": confirmed.golden_id, "is_joined": confirmed.is_joined}
        print_json({**told, "reservation": _told(confirmed.reservation)})
        return
    apart = "" if confirmed.is_joined else f", kept apart from {confirmed.reservation.golden_id} by a decision"
    print_text(f"{key} belongs to {confirmed.golden_id}{apart}")


@app.command("abandon")
def abandon(reservation: Id, as_json: AsJson = False) -> None:
    """Give a reservation up: nothing was created. The golden id still resolves."""
    from mdm.activation import reservations
    from mdm.cli.output import print_json, print_text
    from mdm.cli.session import session, who

    with session() as hub:
        ended = reservations.abandon(hub, reservation, who=who())
    if as_json:
        print_json(_told(ended))
        return
    print_text(f"{ended.id} is {ended.state}; {ended.golden_id} still resolves")


def _told(found: "Reservation") -> dict[str, Any]:
    return {
        "id": found.id,
        "entity_type": found.entity_type,
        "source": found.source,
        "golden_id": found.golden_id,
        "state": found.state,
        "held_by": found.who,
        "reference": found.reference or None,
        "source_key": None if found.source_key is None else str(found.source_key),
        "recorded_at": found.recorded_at,
        "expires_at": found.expires_at,
        "ended_at": found.ended_at,
        "ended_by": found.ended_by,
    }
