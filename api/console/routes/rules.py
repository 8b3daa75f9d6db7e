"""The page Rules: where the lines stand and what that costs, what agreement is worth, whose value survives, versions.

Whatever is changed is tried on the hub's records first, kept as a version with its reason, and only then activated.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, Field

from api.console.page import PageRoute
from api.console.render import page, redirect, words_of
from api.console.views import rules as view
from api.console.views.sentences import told
from api.console.views.text import sentence
from api.console.visit import TheVisit, Visit
from api.errors import HttpRefusal
from mdm import clock
from mdm.entities.model import EntityType
from mdm.errors import Conflict, Forbidden, HubError, InputInvalid, RulesUnchanged
from mdm.jobs import rematch
from mdm.modelling import editing, service
from mdm.modelling.difference import difference
from mdm.modelling.lines import BITS_MAX, BITS_MIN, STEP_BITS, snapped
from mdm.modelling.model import DECLARED, Asked, Overview, Pair

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

TRIED_MAX: Final = 4_000  # chosen: records that a page tries rules on while somebody waits
Made = tuple[EntityType, Pair | None]
"""An entity type under changed rules, and the versions of it where they are kept already."""


class Shown(BaseModel):
    """The entity type in the address, where its lines are moved to, and what was just done."""

    type: str = Field("", max_length=100)
    review: float | None = Field(None, allow_inf_nan=False)
    match: float | None = Field(None, allow_inf_nan=False)
    done: str = Field("", max_length=40)


@dataclass(frozen=True, slots=True)
class Edit:
    """A change that a form asks for: of which kind, and its fields."""

    kind: str
    fields: Mapping[str, str]


@router.get("/rules")
def rules(visit: TheVisit, shown: Annotated[Shown, Query()]) -> Response:
    """Show an entity type's rules."""
    return _page(visit, shown)


@router.get("/rules/lines")
def lines(visit: TheVisit, shown: Annotated[Shown, Query()]) -> Response:
    """Draw the scores with the lines where they are moved to, and say what that costs."""
    name = _chosen(visit, shown.type)
    found = visit.opened.scores.of(visit.hub, name)
    review = found.review_bits if shown.review is None else snapped(shown.review)
    match = found.match_bits if shown.match is None else snapped(shown.match)
    part = view.lines_shown(found, min(review, match), match)
    return page(visit, "rules_lines.html", name=name, found=found, part=part, **_words(visit))


@router.get("/rules/work")
def work(visit: TheVisit, shown: Annotated[Shown, Query()]) -> Response:
    """Tell how far the records are brought to the rules that hold."""
    name = _chosen(visit, shown.type)
    return page(visit, "rules_work.html", name=name, rules=service.overview(visit.hub, name), **_words(visit))


@router.post("/rules/try")
def try_(visit: TheVisit) -> Response:
    """Say what a change would do to the hub's records."""
    name = _chosen(visit, visit.form.one("type"))
    edit = _edit(visit)
    try:
        made, _ = _made(visit, name, edit)
    except (InputInvalid, RulesUnchanged) as error:
        return page(visit, "rules_refused.html", status=422, refused=_said(visit, error))
    holding = visit.hub.entity_type(name)
    differs = difference(holding, made)
    tried = None
    if made.model != holding.model:
        tried = service.consequences(visit.hub, made, limit=TRIED_MAX)
    return page(
        visit,
        "rules_then.html",
        name=name,
        edit=edit,
        differs=differs,
        tried=tried,
        may_lead=visit.may("lead", entity_type=name),
        needs_second=holding.reviews.approval.rules,
        **_words(visit),
    )


@router.post("/rules/keep")
def keep(visit: TheVisit) -> Response:
    """Keep a change as a version, and let it hold where that is asked for."""
    name = _chosen(visit, visit.form.one("type"))
    visit.require("lead", entity_type=name)
    reason = visit.form.one("reason")

    def act() -> str:
        if not reason.strip():
            raise InputInvalid("a change of rules needs a reason", remedy="say in a few words why", field="reason")
        edit = _edit(visit)
        made, kept = _made(visit, name, edit)
        if kept is None:
            kept = service.keep_parts(visit.hub, made, origin="edited", reason=reason, who=visit.who)
        if visit.form.one("then") != "activate":
            return "kept"
        asked = Asked(kept.model, kept.survivorship, reason, visit.form.one("force") == "yes")
        if edit.kind in {"version", "back"}:
            asked = Asked(kept.model or DECLARED, kept.survivorship or DECLARED, reason, asked.is_forced)
        done = service.activate(visit.hub, name, asked, who=visit.who)
        return "active" if done.activation is not None else "waiting"

    return _done(visit, name, act)


@router.post("/rules/settle")
def settle(visit: TheVisit) -> Response:
    """Approve a change that waits, as the second person, or turn it down."""
    name = _chosen(visit, visit.form.one("type"))
    visit.require("lead", entity_type=name)
    found = service.proposal(visit.hub, visit.form.one("proposal"))
    if found.entity_type != name:
        raise Forbidden("this change is of another entity type", remedy="load the page again")

    def act() -> str:
        if visit.form.one("answer") == "approve":
            service.approve(visit.hub, found.id, who=visit.who)
            return "active"
        service.turn_down(visit.hub, found.id, who=visit.who)
        return "turned_down"

    return _done(visit, name, act)


@router.post("/rules/work")
def turn_work(visit: TheVisit) -> Response:
    """Let the work on the records rest, or go on."""
    name = _chosen(visit, visit.form.one("type"))
    visit.require("lead", entity_type=name)
    turn = rematch.pause_rematch if visit.form.one("act") == "pause" else rematch.resume_rematch

    def act() -> str:
        turn(visit.hub, name, who=visit.who)
        return ""

    return _done(visit, name, act)


def _done(visit: Visit, name: str, act: Callable[[], str]) -> Response:
    try:
        done = act()
    except (InputInvalid, Conflict) as error:
        return _page(visit, Shown(type=name), refused=_said(visit, error))
    return redirect(visit, f"/rules?type={name}" + (f"&done={done}" if done else ""))


def _page(visit: Visit, shown: Shown, *, refused: str = "") -> Response:
    name = _chosen(visit, shown.type)
    entity_type = visit.hub.entity_type(name)
    found = service.overview(visit.hub, name)
    return page(
        visit,
        "rules.html",
        status=422 if refused else 200,
        name=name,
        types=[one for one in visit.hub.declared if visit.may("steward", entity_type=one)],
        entity_type=entity_type,
        rules=found,
        history=_history(found),
        values=view.value_rows(entity_type),
        strategies=view.strategies(),
        may_lead=visit.may("lead", entity_type=name),
        refused=refused,
        done=shown.done,
        now=clock.now(),
        **_words(visit),
    )


def _history(found: Overview) -> list[tuple[Any, str, bool]]:
    """Give every version of both parts, newest first: what it is of, and whether it holds."""
    listed: list[tuple[Any, str, bool]] = [(one, "model", one.version == found.holds.model) for one in found.models]
    listed += [(one, "values", one.version == found.holds.survivorship) for one in found.choices]
    return sorted(listed, key=lambda one: (one[0].recorded_at, one[0].version), reverse=True)


def _chosen(visit: Visit, name: str) -> str:
    """Return an entity type that the visitor may look after: the one asked for, else the first."""
    own = [one for one in visit.hub.declared if visit.may("steward", entity_type=one)]
    if name in own:
        return name
    if name or not own:
        raise Forbidden("your role does not show these rules", remedy="ask an administrator of the hub for the role")
    return own[0]


def _edit(visit: Visit) -> Edit:
    known = ("review", "match", "model", "survivorship")
    fields = {name: visit.form.one(name) for name in known if visit.form.many(name)}
    for prefix in ("bits:", "strategy:", "sources:", "fallback:"):
        fields |= {prefix + rest: value for rest, value in visit.form.starting(prefix).items()}
    return Edit(visit.form.one("kind"), fields)


def _made(visit: Visit, name: str, edit: Edit) -> Made:
    """Work out the rules that a form asks for; raises InputInvalid, RulesUnchanged."""
    hub, holding = visit.hub, visit.hub.entity_type(name)
    if edit.kind == "version":
        holds = service.overview(hub, name, limit=1).holds
        rules = Pair(
            _version(edit.fields.get("model"), holds.model),
            _version(edit.fields.get("survivorship"), holds.survivorship),
        )
        return service.entity_type_under(hub, name, rules), rules
    if edit.kind == "back":
        activations = service.overview(hub, name, limit=2).activations
        if not activations:
            raise RulesUnchanged("no other rules were ever activated", remedy="there is nothing to take back")
        rules = activations[1].rules if len(activations) > 1 else Pair(None, None)
        return service.entity_type_under(hub, name, rules), rules
    made = _edited(visit, holding, edit)
    if difference(holding, made).is_empty:
        raise RulesUnchanged("nothing was changed", remedy="change something first")
    return made, None


def _edited(visit: Visit, holding: EntityType, edit: Edit) -> EntityType:
    try:
        if edit.kind == "lines":
            return editing.with_lines(
                holding, snapped(float(edit.fields["review"])), snapped(float(edit.fields["match"]))
            )
        if edit.kind == "weights":
            return editing.with_weights(visit.hub, holding, view.changed_bits(holding, edit.fields))
        if edit.kind == "values":
            return editing.with_choice(visit.hub, holding, view.changed_values(holding, edit.fields))
    except (KeyError, ValueError) as error:
        raise InputInvalid("a number is needed here", remedy="write it as 1.5", field=edit.kind) from error
    raise HttpRefusal(422, "request_invalid", "this is no change of this page", remedy="load the page again")


def _version(asked: str | None, holds: str | None) -> str | None:
    if not asked:
        return holds
    return None if asked == DECLARED else asked


def _said(visit: Visit, error: HubError) -> str:
    """Say a refusal in the visitor's language, line by line, and what helps."""
    lines = [told(line, visit.text) for line in error.message.splitlines()]
    remedy = sentence(told(error.remedy or "", visit.text))
    return sentence("; ".join(lines)) + (f". {remedy}." if remedy else "")


def _words(visit: Visit) -> dict[str, Any]:
    said = words_of(visit)
    return {
        "ORIGINS": view.ORIGINS,
        "LINES": view.LINES,
        "WORK": view.WORK,
        "BITS": (BITS_MIN, BITS_MAX, STEP_BITS),
        "probability": lambda bits: view.probability(bits, said),
    }
