"""Why two records are one, or why not: the verdict in one sentence, and the evidence row by row."""

from typing import Annotated, Any, Final
from urllib.parse import quote

from fastapi import APIRouter, Query, Response

from api.console.drawings.waterfall import Bar, Waterfall, waterfall
from api.console.page import PageRoute
from api.console.render import page, words_of
from api.console.routes.record import require_read
from api.console.routes.record_operations import refusal, search
from api.console.views.words import Words
from api.console.visit import TheVisit
from mdm import clock
from mdm.db.transaction import snapshot
from mdm.errors import GoldenRecordUnknown, HubError, SourceKeyInvalid, SourceRecordUnknown
from mdm.identity.service import resolve_golden
from mdm.ids import GoldenId
from mdm.stewardship.card_model import probability
from mdm.stewardship.record import name_all
from mdm.stewardship.why import why
from mdm.stewardship.why_model import Why

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

JOINED: Final = frozenset({"same_record", "same_golden_record"})
OPEN: Final = frozenset({"possible_match", "held", "deferred", "pending"})

Text = Annotated[str, Query(max_length=600)]


@router.get("/records/{golden_id}/why")
def why_together(
    visit: TheVisit, golden_id: str, other: Annotated[str, Query(alias="with", max_length=600)] = "", left: Text = ""
) -> Response:
    """Say why a golden record, or one record of it, is one with another or is not."""
    hub, other = visit.hub, other.strip()
    found: Why | None = None
    refused: Any = None
    hits: list[Any] = []
    with snapshot(hub.engine) as connection:
        golden = resolve_golden(connection, GoldenId(golden_id))
        require_read(visit, golden)
        own = name_all(hub, connection, [golden.id])
        if other:
            try:
                found = why(
                    hub, connection, left or golden.id, other, may_see=lambda name: visit.may("read", entity_type=name)
                )
            except (GoldenRecordUnknown, SourceKeyInvalid, SourceRecordUnknown) as error:
                refused = refusal(error)
            except HubError as error:
                refused = refusal(error)
        names = name_all(hub, connection, filter(None, [found.left.golden_id, found.right.golden_id])) if found else {}
    if other and found is None:
        hits = search(visit, other, golden.entity_type, without=golden.id)
    return page(
        visit,
        "record_why.html",
        golden=golden,
        name=own[golden.id].name if golden.id in own else golden.id,
        asked=other,
        left=left,
        why=found,
        names=names,
        **_evidence(found, words_of(visit)),
        percent=probability(found.explanation.bits) if found is not None and found.explanation is not None else None,
        tone="pos" if found and found.kind in JOINED else "" if found and found.kind in OPEN else "neg",
        refused=None if hits else refused,
        hits=hits,
        action=f"/records/{quote(golden.id)}/why",
        now=clock.now(),
    )


def _evidence(found: Why | None, said: Words) -> dict[str, Any]:
    """Lay out the evidence: a row for each comparison that says something, and the names of those that do not."""
    told = found.explanation if found is not None else None
    if found is None or told is None:
        return {"fall": None, "rows": [], "silent": [], "still": None}
    fall = waterfall(
        told.prior_bits,
        [(said.word("comparison", step.comparison), step.bits + step.frequency_bits) for step in told.steps],
        review_bits=found.review_bits,
        match_bits=found.match_bits,
    )
    paired = list(zip(told.steps, fall.steps, strict=True))
    return {
        "fall": fall,
        "rows": [(step, bar) for step, bar in paired if bar.bits],
        "silent": [bar.label for _, bar in paired if not bar.bits],
        "still": _still(fall),
    }


def _still(fall: Waterfall) -> Bar:
    """Give a bar of nothing where the last step ends, so that the connector goes on."""
    at = fall.steps[-1].end if fall.steps else fall.prior.end
    return Bar("", 0.0, at, at, at, 0.0, "none")
