"""What a fake answers: a request in, a reply out, and the fault that the wire is to act out.

The protocol stands in `docs/reference/record-api.md`. A request is admitted, then meets its fault, then is carried out;
all of it goes into the journal, whatever the client gets to see.
"""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import parse_qs, unquote, urlsplit

from mdm.demo.fakes.fake import Fake
from mdm.demo.fakes.faults import PAGE_LENGTH, Fault
from mdm.demo.fakes.journal import Entry
from mdm.demo.fakes.model import Outcome, Record, Refused, Reply, Request
from mdm.demo.fakes.records import Draft, Edit

PAGE_MAX: Final = 500  # chosen: records on one page; who asks for more gets these
PAGE_DEFAULT: Final = 100  # chosen, see PAGE_MAX
_ROUTE: Final = re.compile(r"/api/(?P<object>[^/:]+)(?:/(?P<id>[^/:]+)(?::(?P<verb>deactivate|reactivate|merge))?)?")


@dataclass(frozen=True, slots=True)
class _Call:
    """A request, read: what it is about, and what it brings."""

    method: str
    path: str
    object: str
    native_id: str
    verb: str
    query: Mapping[str, str]
    body: Mapping[str, Any]
    version: int

    @property
    def edit(self) -> Edit:
        return Edit(
            self.object,
            self.native_id,
            self.body.get("fields") or {},
            scope=self.query.get("scope"),
            external_id=self.body.get("external_id"),
            version=self.version,
        )


def answer(fake: Fake, request: Request) -> tuple[Reply, Fault | None]:
    """Carry a request out and say what to reply, and how the wire is to spoil it."""
    by = fake.who(request.headers.get("authorization", "").removeprefix("Bearer "))
    entry = Entry(
        number=fake.journal.next_number(),
        at=fake.clock.now(),
        request_id=request.headers.get("x-request-id", ""),
        key=request.headers.get("idempotency-key", ""),
        by=by,
        method=request.method,
        object="",
    )
    fault = None
    try:
        call = _read(request)
        entry = replace(
            entry,
            object=call.object,
            native_id=call.native_id,
            scope=str(call.query.get("scope") or call.body.get("scope") or ""),
            external_id=str(call.body.get("external_id") or ""),
        )
        fake.limits.admit(by)
        fault = fake.faults.next_for(call.method, call.object, (entry.native_id, entry.external_id))
        if fault is not None and not fault.is_done:
            entry, reply = replace(entry, fault=fault.name, status=fault.status), _spoilt(fake, call, fault)
        else:
            entry, reply = _done(fake, call, entry)
            if fault is not None:
                entry = replace(entry, fault=fault.name)
                reply = _altered(fake, call, fault, reply)
    except Refused as refused:
        entry, reply = replace(entry, status=refused.status), _refusal(refused)
    fake.journal.add(entry)
    asked = "another-request" if fault is not None and fault.kind == "misrouted" else entry.request_id
    return _with_headers(fake, asked, reply), fault


def _read(request: Request) -> _Call:
    place = urlsplit(request.target)
    route = _ROUTE.fullmatch(place.path)
    if route is None:
        raise Refused(404, "unknown_route", "There is nothing here.")
    body: Any = {}
    if request.method in {"POST", "PATCH"} and request.body:
        try:
            body = json.loads(request.body)
        except ValueError:
            raise Refused(400, "malformed", "The body is no JSON.") from None
    if not isinstance(body, dict) or not isinstance(body.get("fields") or {}, dict):
        raise Refused(400, "malformed", "The body is no object with fields.")
    version = request.headers.get("if-match", "").strip('"')
    return _Call(
        method=request.method,
        path=place.path,
        object=unquote(route["object"]),
        native_id=unquote(route["id"] or ""),
        verb=route["verb"] or "",
        query={name: values[-1] for name, values in parse_qs(place.query, keep_blank_values=True).items()},
        body=body,
        version=int(version) if version.isdecimal() else 0,
    )


def _done(fake: Fake, call: _Call, entry: Entry) -> tuple[Entry, Reply]:
    if call.method == "GET" and not call.verb:
        return replace(entry, status=200), _show(fake, call)
    write = _write_of(call)
    repeat = (entry.by, call.method, call.path, call.query.get("scope", ""), entry.key)
    earlier = fake.earlier(repeat) if entry.key else None
    outcome = Outcome(earlier, "repeated") if earlier else write(fake, call, entry.by)
    if entry.key:
        fake.remember(repeat, outcome.record)
    status = 201 if outcome.effect == "created" else 200
    record = outcome.record
    entry = replace(
        entry,
        native_id=record.native_id,
        scope=record.scope,
        external_id=record.external_id,
        effect=outcome.effect,
        changed=outcome.changed,
        version=record.version,
        status=status,
    )
    return entry, _json(status, {"record": _shown(record), "effect": outcome.effect})


def _write_of(call: _Call) -> Callable[[Fake, _Call, str], Outcome]:
    match call.method, bool(call.native_id), call.verb:
        case "POST", False, _:
            return _create
        case "PATCH", True, "":
            return lambda fake, call, by: fake.records.change(call.edit, by=by)
        case "POST", True, "deactivate":
            return lambda fake, call, by: fake.records.deactivate(call.edit, by=by)
        case "POST", True, "reactivate":
            return lambda fake, call, by: fake.records.reactivate(call.edit, by=by)
        case "POST", True, "merge":
            return lambda fake, call, by: fake.records.merge(call.edit, str(call.body.get("into") or ""), by=by)
    raise Refused(405, "method_not_allowed", f"{call.method} is not for this address.")


def _create(fake: Fake, call: _Call, by: str) -> Outcome:
    draft = Draft(
        call.object,
        call.body.get("fields") or {},
        scope=str(call.body.get("scope") or ""),
        external_id=str(call.body.get("external_id") or ""),
    )
    return fake.records.create(draft, by=by)


def _show(fake: Fake, call: _Call) -> Reply:
    if call.native_id:
        return _json(200, {"record": _shown(fake.records.find(call.object, call.native_id, call.query.get("scope")))})
    after, limit = call.query.get("after", "") or "0", call.query.get("limit", str(PAGE_DEFAULT))
    if not (after.isdecimal() and limit.isdecimal() and int(limit)):
        raise Refused(400, "bad_cursor", "after is a cursor that was given here, limit a number from 1.")
    page = fake.records.page(call.object, after=int(after), limit=min(int(limit), PAGE_MAX))
    records = [_shown(record) for record in page.records]
    cursor = str(page.cursor) if page.cursor else ""
    return _json(200, {"object": call.object, "records": records, "cursor": cursor, "is_last": page.is_last})


def _shown(record: Record) -> dict[str, Any]:
    return {
        "object": record.object,
        "scope": record.scope,
        "id": record.native_id,
        "external_id": record.external_id,
        "fields": dict(record.fields),
        "version": record.version,
        "changed_at": record.changed_at.isoformat(),
        "changed_by": record.changed_by,
        "is_active": record.is_active,
        "merged_into": record.merged_into,
    }


def _spoilt(fake: Fake, call: _Call, fault: Fault) -> Reply:
    """Make the reply of a fault that leaves the work undone; what the wire acts out needs none."""
    if fault.kind == "page":
        return Reply(fault.status, _long_page(), {"Content-Type": "text/html"})
    headers = {"Location": fault.location} if fault.location else {}
    if fault.retry_after_s is not None:
        headers["Retry-After"] = str(fault.retry_after_s)
    error: dict[str, Any] = {"code": fault.name, "message": f"The fake misbehaves: {fault.name}."}
    if fault.status == 422:
        name = next(iter(fake.records.rules(call.object).fields))
        error["fields"] = [{"field": name, "code": "schema", "message": f"{name} is not what it was."}]
    return _json(fault.status or 500, {"error": error}, headers)


def _altered(fake: Fake, call: _Call, fault: Fault, reply: Reply) -> Reply:
    """Spoil the reply to work that was done."""
    if fault.kind in {"answer", "page"}:
        return _spoilt(fake, call, fault)
    if fault.kind == "wrong_id":
        document = json.loads(reply.body)
        if "record" in document:
            prefix = fake.records.rules(call.object).id_prefix
            document["record"]["id"] = fake.character.make_id(prefix, 9_999_999)
        return replace(reply, body=json.dumps(document).encode())
    return reply


def _refusal(refused: Refused) -> Reply:
    error: dict[str, Any] = {"code": refused.code, "message": refused.message}
    if refused.faults:
        error["fields"] = [
            {"field": fault.field, "code": fault.code, "message": fault.message} for fault in refused.faults
        ]
    error |= {name: value for name, value in refused.facts.items() if name != "retry_after_s"}
    headers = {}
    if "retry_after_s" in refused.facts:
        headers["Retry-After"] = str(math.ceil(refused.facts["retry_after_s"]))
    return _json(refused.status, {"error": error}, headers)


def _json(status: int, document: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> Reply:
    body = json.dumps(document, ensure_ascii=False).encode()
    return Reply(status, body, {"Content-Type": "application/json", **(headers or {})})


def _long_page() -> bytes:
    return b"<html><body>" + b"Something went wrong. " * (PAGE_LENGTH // 22) + b"</body></html>"


def _with_headers(fake: Fake, request_id: str, reply: Reply) -> Reply:
    headers = {"Date": format_datetime(fake.clock.now(), usegmt=True), **reply.headers}
    if request_id:
        headers["X-Request-Id"] = request_id
    return replace(reply, headers=headers)
