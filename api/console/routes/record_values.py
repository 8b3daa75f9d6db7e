"""A person's own value on one attribute of a golden record: set, changed or cleared, for a term, after a preview."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Request, Response

from api.console.page import PageRoute
from api.console.render import page, redirect
from api.console.routes.record import require_read
from api.console.routes.record_operations import Refused, refusal
from api.console.visit import TheVisit, Visit
from api.errors import HttpRefusal
from mdm import clock
from mdm.db.transaction import reading, snapshot
from mdm.decisions.model import Lasting
from mdm.entities.model import EntityType
from mdm.errors import AttributeUnknown, HubError, InputInvalid
from mdm.identity.model import GoldenRecord
from mdm.identity.service import resolve_golden
from mdm.ids import GoldenId
from mdm.stewardship.overrides import (
    OverrideChange,
    Wish,
    clear_override,
    overridden_with,
    preview_clearing,
    preview_override,
    set_override,
)
from mdm.stewardship.record import see_record, told
from mdm.stewardship.record_model import Changed, Field, RecordSeen
from mdm.survivorship.service import golden_version

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

_FROM: Final = "from:"
_LOOKING: Final = "looked at only"


@dataclass(frozen=True, slots=True)
class Picked:
    """What was chosen: a record whose value to take, a typed value, nothing at all, or to clear; and for how long."""

    choice: str
    typed: str
    term: str
    until: str

    @property
    def is_clearing(self) -> bool:
        """Tell whether what was chosen before is to end."""
        return self.choice == "clear"


@router.get("/records/{golden_id}/values/{attribute}")
def choose_value(visit: TheVisit, golden_id: str, attribute: str, request: Request) -> Response:
    """Show which values there are, and what would happen by the one that is chosen."""
    asked = request.query_params
    picked = Picked(
        asked.get("choice", ""), asked.get("typed", ""), asked.get("term", "for_ever"), asked.get("until", "")
    )
    return _show(visit, _golden(visit, golden_id), attribute, picked)


@router.post("/records/{golden_id}/values/{attribute}")
def keep_value(visit: TheVisit, golden_id: str, attribute: str) -> Response:
    """Set the value, or clear what was set, if the record has not moved since the preview."""
    golden, form = _golden(visit, golden_id), visit.form
    picked = Picked(form.one("choice"), form.one("typed"), form.one("term", "for_ever"), form.one("until"))
    version = form.one("version")
    if not version.isdecimal() or len(version) > 9:
        raise HttpRefusal(422, "request_invalid", "the form names no version", remedy="load the page again")
    try:
        change = _change(visit, golden, attribute, picked, int(version))
    except HubError as error:
        return _show(visit, golden, attribute, picked, refused=refusal(error))
    with reading(visit.hub.engine) as connection:
        newest = golden_version(connection, change.golden_id)
    done = f"?done={quote(newest.event_id)}" if newest is not None and change.is_changed else ""
    return redirect(visit, f"/records/{quote(change.golden_id)}{done}")


def _golden(visit: Visit, golden_id: str) -> GoldenRecord:
    with reading(visit.hub.engine) as connection:
        golden = resolve_golden(connection, GoldenId(golden_id))
    require_read(visit, golden)
    visit.require("steward", entity_type=golden.entity_type)
    return golden


def _change(visit: Visit, golden: GoldenRecord, attribute: str, picked: Picked, version: int) -> OverrideChange:
    if picked.is_clearing:
        return clear_override(visit.hub, golden.id, attribute, who=visit.who, expected_version=version)
    seen, field = _seen(visit, golden, attribute)
    wish = _wish(visit.hub.entity_type(seen.entity_type), field, picked, visit.form.one("reason"))
    return set_override(visit.hub, golden.id, wish, who=visit.who, expected_version=version)


def _show(
    visit: Visit, golden: GoldenRecord, attribute: str, picked: Picked, *, refused: Refused | None = None
) -> Response:
    seen, field = _seen(visit, golden, attribute)
    entity_type = visit.hub.entity_type(seen.entity_type)
    changed, warnings, why_not = _looked_at(visit, golden, entity_type, field, picked)
    is_list = entity_type.attributes[attribute].is_list
    codes = entity_type.code_lists.get(entity_type.attributes[attribute].code_list or "")
    return page(
        visit,
        "record_value.html",
        status=refused.status if refused else 200,
        seen=seen,
        golden=golden,
        field=field,
        picked=picked,
        action=f"/records/{quote(golden.id)}/values/{quote(attribute)}",
        with_it=[
            entity_type.attributes[name].title for name in overridden_with(entity_type, attribute) if name != attribute
        ],
        can_type=entity_type.attributes[attribute].semantic_type != "element",
        is_list=is_list,
        codes=dict(codes.codes) if codes is not None and len(codes.codes) <= 400 else {},
        changed=changed,
        warnings=warnings,
        refused=refused or why_not,
        now=clock.now(),
        typed_reason=visit.form.one("reason"),
    )


def _seen(visit: Visit, golden: GoldenRecord, attribute: str) -> tuple[RecordSeen, Field]:
    with snapshot(visit.hub.engine) as connection:
        seen = see_record(visit.hub, connection, golden.id)
    for field in seen.fields:
        if field.attribute == attribute:
            return seen, field
    raise AttributeUnknown(attribute, remedy="go back to the record and choose one there")


def _looked_at(
    visit: Visit, golden: GoldenRecord, entity_type: EntityType, field: Field, picked: Picked
) -> tuple[tuple[Changed, ...] | None, tuple[str, ...], Refused | None]:
    """Rehearse what was chosen; None while nothing is."""
    if not picked.choice or (picked.choice == "typed" and not picked.typed.strip()):
        return None, (), None
    if picked.term == "until" and not picked.until and not picked.is_clearing:
        return None, (), None
    try:
        if picked.is_clearing:
            change = preview_clearing(visit.hub, golden.id, field.attribute, who=visit.who)
        else:
            wish = _wish(entity_type, field, picked, _LOOKING)
            change = preview_override(visit.hub, golden.id, wish, who=visit.who)
    except HubError as error:
        return None, (), refusal(error)
    before, after = dict(change.before or {}), dict(change.after or {})
    changed = tuple(
        Changed(
            name,
            entity_type.attributes[name].title,
            told(entity_type, name, before.get(name), {}),
            told(entity_type, name, after.get(name), {}),
        )
        for name in {**before, **after}
    )
    return changed, tuple(warning.message for warning in change.warnings), None


def _wish(entity_type: EntityType, field: Field, picked: Picked, reason: str) -> Wish:
    return Wish(field.attribute, _value(entity_type, field, picked), reason, _lasting(picked))


def _value(entity_type: EntityType, field: Field, picked: Picked) -> Any:
    """Give the value that was chosen as a source would deliver it; None blanks the attribute."""
    if picked.choice == "blank":
        return None
    if picked.choice.startswith(_FROM):
        key = picked.choice.removeprefix(_FROM)
        for loser in field.losers:
            if loser.origin.source_key == key:
                return loser.value
        raise InputInvalid(
            f"{key} does not say anything else any more", remedy="load the page again and choose anew", field="value"
        )
    if picked.choice != "typed":
        raise InputInvalid("no value is chosen", remedy="choose one of the values, or type one", field="value")
    if entity_type.attributes[field.attribute].is_list:
        return [line.strip() for line in picked.typed.splitlines() if line.strip()]
    return picked.typed.strip()


def _lasting(picked: Picked) -> Lasting:
    if picked.term == "until_source_changes":
        return Lasting("until_source_changes")
    if picked.term != "until":
        return Lasting()
    return Lasting("until", _end_of(picked.until))


def _end_of(day: str) -> datetime:
    try:
        return clock.end_of_day(date.fromisoformat(day))
    except ValueError as error:
        raise InputInvalid(f"{day[:40]!r} is no day", remedy="write it as 2026-12-31", field="until") from error
