"""Routes of key translation, the hottest reads of the hub.

The single look-up reads its parameters itself: FastAPI's validation of six of them costs as much as the query.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final
from urllib.parse import parse_qsl

from fastapi import APIRouter, Request, Response
from sqlalchemy import Connection
from starlette.concurrency import run_in_threadpool

from api.dependencies import Caller, Everything, Opened, caller_of, json_response, opened_by
from api.errors import HttpRefusal
from api.instant import AS_OF, VALID_AT, maybe_instant
from api.route import HubRoute
from api.schemas.crosswalk import GoldenKeysTold, ResolveAsked, ResolveTold, TranslationTold
from mdm.db.transaction import reading
from mdm.errors import Forbidden, GoldenRecordUnknown, SourceRecordUnknown, TooLarge
from mdm.history.hot_reads import (
    GoldenKey,
    Sight,
    TargetKey,
    Translation,
    keys_of,
    translate,
    translate_many,
    translation,
)
from mdm.history.past import PastMember, PastStanding
from mdm.identity.service import golden_id_of, what_became
from mdm.ids import GoldenId
from mdm.sources.model import SourceKey
from mdm.stewardship.then import Moment, members_of, record_at
from mdm.telemetry import LOOKUPS

router = APIRouter(route_class=HubRoute, tags=["Crosswalk"])

_ANSWERS: Final = ("one", "none", "many")
_COUNTERS: Final = {answer: LOOKUPS.labels(answer) for answer in _ANSWERS}
_LENGTH_MAX: Final = 255
_PARAMETERS: Final = {
    "source": "Source instance of the key to translate.",
    "source_key": "The key, as the source knows it.",
    "object": "Record type in the source; any when left out.",
    "scope": "Legal entity or subsidiary of the key; any when left out.",
    "golden_id": "In place of a key: list the keys of this golden record.",
    "to": "Source instance whose keys are wanted.",
    "as_of": f"{AS_OF} A key then needs object.",
    "valid_at": f"{VALID_AT} A key then needs object.",
}


@router.get(
    "/v1/crosswalk",
    operation_id="look_up_key",
    responses={200: {"model": TranslationTold | GoldenKeysTold}},
    openapi_extra={
        "parameters": [
            {
                "name": name,
                "in": "query",
                "description": meaning,
                "schema": {"type": "string", "maxLength": _LENGTH_MAX},
            }
            for name, meaning in _PARAMETERS.items()
        ]
    },
)
async def look_up_key(request: Request) -> Response:
    """Translate a key into its golden id and, with `to`, into keys of another system; or list a golden id's keys."""
    asked = _parameters(request)
    caller = caller_of(request)
    to = asked.get("to")
    if "as_of" in asked or "valid_at" in asked:
        return json_response(await run_in_threadpool(_answer_then, opened_by(request), caller, asked))
    if golden_id := asked.get("golden_id"):
        rows = await opened_by(request).ask(lambda connection: keys_of(connection, golden_id, to=to))
        return json_response(_golden_keys(golden_id, rows, caller))
    sight = _sight(caller, [asked["source"]], to)
    try:
        answer = await opened_by(request).ask(lambda connection: translate(connection, asked, to=to, sight=sight))
    except SourceRecordUnknown as error:
        if "object" not in asked:
            raise
        remedy = await run_in_threadpool(_what_became, opened_by(request), asked, sight)
        raise SourceRecordUnknown(error.name, remedy=remedy) from error
    _COUNTERS[answer.answer].inc()
    return json_response(answer)


@router.post("/v1/crosswalk:resolve", operation_id="resolve_keys", response_model=ResolveTold)
async def resolve_keys(asked: ResolveAsked, request: Request, opened: Everything) -> Response:
    """Translate up to 10,000 keys at once; the answers stand in the order of the keys."""
    if len(asked.keys) > opened.hub.settings.resolve_keys_max:
        raise TooLarge(
            f"{len(asked.keys)} keys, at most {opened.hub.settings.resolve_keys_max} a call", remedy="call again"
        )
    sight = _sight(caller_of(request), {key["source"] for key in asked.keys}, asked.to)
    answers = await opened.ask(lambda connection: translate_many(connection, asked.keys, to=asked.to, sight=sight))
    told = [answer.answer for answer in answers]
    for answer in _ANSWERS:
        _COUNTERS[answer].inc(told.count(answer))
    return json_response({"answers": answers})


def _what_became(opened: Opened, asked: Mapping[str, str], sight: Sight | None) -> str:
    """Say what became of a key that leads nowhere, to whoever may see it; "" when it never led anywhere."""
    key = SourceKey(asked["source"], asked["object"], asked.get("scope", ""), asked["source_key"])
    with reading(opened.hub.engine) as connection:
        return what_became(connection, key, *filter(None, (sight,)))


def _parameters(request: Request) -> Mapping[str, str]:
    """Read the query: a key (source and source_key) or a golden id, each parameter once."""
    pairs = parse_qsl(request.scope["query_string"].decode(), keep_blank_values=True)
    asked = dict(pairs)
    if len(asked) < len(pairs):
        raise _misshapen("query", "a parameter is given twice")
    for name, value in pairs:
        if len(value) > _LENGTH_MAX or not (value or name == "scope"):
            raise _misshapen(f"query {name}", f"the value is empty or longer than {_LENGTH_MAX} characters")
    if ("golden_id" in asked) == ("source" in asked and "source_key" in asked):
        raise _misshapen("query", "it names neither a key nor a golden id, or both")
    return asked


def _misshapen(place: str, detail: str) -> HttpRefusal:
    remedy = "send source and source_key, or golden_id; optional are object, scope and to"
    return HttpRefusal(422, "request_invalid", detail, remedy=remedy, place=place)


def _answer_then(opened: Opened, caller: Caller, asked: Mapping[str, str]) -> Translation | dict[str, Any]:
    """Answer for another time, from the memberships of that time or of what existed then."""
    moment, to = _moment(asked), asked.get("to")
    with reading(opened.hub.engine) as connection:
        if "golden_id" in asked:
            found = members_of(connection, GoldenId(asked["golden_id"]), moment)
            standing = found.standing
            of = (standing.golden_id, standing.entity_type, standing.state)
            chosen = _chosen(found.members, to)
            rows = [GoldenKey(*of, key, one.ended) for one, key in zip(chosen, _keys(chosen), strict=True)]
            rows.append(GoldenKey(*of, None))
            told = _golden_keys(asked["golden_id"], rows, caller)
            return told if moment.valid_at is None else {**told, "undated": _seen(found.undated, standing, caller)}
        if "object" not in asked:
            raise _misshapen("query object", "a key at another time needs its object")
        sight = _sight(caller, [asked["source"]], to)
        key = SourceKey(asked["source"], asked["object"], asked.get("scope", ""), asked["source_key"])
        golden_id, entity_type = _belonging(connection, key, moment)
        if sight is not None and not sight(entity_type, key.instance):
            raise SourceRecordUnknown(str(key))
        keys = _keys(_chosen(members_of(connection, golden_id, moment).members, to)) if to else []
    found_rows = [(entity_type, golden_id, "active", one.object, one.scope, one.source_key) for one in keys]
    return translation(found_rows or [(entity_type, golden_id, "active", None, None, None)], to)


def _moment(asked: Mapping[str, str]) -> Moment:
    return Moment(*(maybe_instant(asked.get(name), name=name) for name in ("as_of", "valid_at")))


def _belonging(connection: Connection, key: SourceKey, moment: Moment) -> tuple[GoldenId, str]:
    """Find golden id and entity type of a key at another time."""
    if moment.valid_at is None:
        return golden_id_of(connection, key, as_of=moment.as_of)
    standing = record_at(connection, key, moment.valid_at, as_of=moment.as_of)
    return standing.golden_id, standing.entity_type


def _chosen(members: Iterable[PastMember], to: str | None) -> list[PastMember]:
    """Keep all members, or those of one instance that it used then."""
    return [one for one in members if to is None or (one.source == to and one.ended is None)]


def _keys(members: Iterable[PastMember]) -> list[TargetKey]:
    return [TargetKey(one.source, one.object, one.scope, one.native_id) for one in members]


def _seen(keys: Iterable[str], standing: PastStanding, caller: Caller) -> list[str]:
    """Keep the printed keys of sources that the caller may read."""
    return [
        key
        for key in keys
        if caller.principal.may("read", entity_type=standing.entity_type, source=SourceKey.parse(key).instance)
    ]


def _sight(caller: Caller, sources: Iterable[str], to: str | None) -> Sight | None:
    """Tell what the caller may see of these sources and of the target; refuse when it is nothing at all."""
    principal = caller.principal
    if principal.may("read"):
        return None
    for source in (*sources, *filter(None, (to,))):
        if not principal.reaches("read", source):
            raise Forbidden(
                f"the key {principal.name!r} may not read {source}", remedy="ask for a key whose scope covers it"
            )

    def sight(entity_type: str, source: str) -> bool:
        sees_source = principal.may("read", entity_type=entity_type, source=source)
        return sees_source and (to is None or principal.may("read", entity_type=entity_type, source=to))

    return sight


def _golden_keys(asked_id: str, rows: Sequence[GoldenKey] | None, caller: Caller) -> dict[str, Any]:
    """List the keys that the caller may see; one of which it may see nothing is as unknown as one that never was."""
    principal = caller.principal
    if not rows or not any(
        principal.may("read", entity_type=rows[0].entity_type, source=scope.source) for scope in principal.scopes
    ):
        raise GoldenRecordUnknown(asked_id)
    golden = rows[0]
    shown = [
        (row.key, {name: mark for name, mark in (("ended", row.ended), ("unseen", row.unseen)) if mark})
        for row in rows
        if row.key
    ]
    return {
        "golden_id": golden.golden_id,
        "entity_type": golden.entity_type,
        "status": golden.status,
        "forwarded_from": asked_id if asked_id != golden.golden_id else None,
        "source_keys": [
            {**asdict(key), **marks} if marks else key
            for key, marks in shown
            if principal.may("read", entity_type=golden.entity_type, source=key.source)
        ],
    }
