"""A system behind the record API: the protocol that the fake ERP and CRM speak, and that an adapter of one's own may.

Every request carries an id that the answer has to repeat, since a system that answers twice would otherwise have its
second answer taken for that of the next request. A write carries the id of its change as idempotency key, and a create
the golden id as external id: asked again, the system answers with the record it made, or that it has. A create is read
back before its new id is believed. The protocol stands in docs/reference/record-api.md.
"""

import re
import ssl
import uuid
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any, Final
from urllib.parse import quote, urlencode

import orjson

from mdm.clock import in_utc
from mdm.connectors.addresses import Network
from mdm.connectors.http import Answer, HttpClient, Timeouts, failure_of
from mdm.connectors.model import (
    REASON_LENGTH_MAX,
    CallFailed,
    Change,
    Failure,
    FailureKind,
    Load,
    Page,
    Receipt,
    RemoteRecord,
)

RECORD_BYTES_MAX: Final = 256_000  # chosen: one record with long texts; an error page is cut there
PAGE_BYTES_MAX: Final = 8_000_000  # chosen: 500 records of 16 kB
TIMEOUTS: Final = Timeouts()
LOAD: Final = Load()
FAILURES_IN_A_ROW_MAX: Final = 5  # chosen: a system that fails so often does not take the next one either
# After these the next request would fare no better, or do harm: a refused key that is repeated locks the account.
_ENDS_A_BATCH: Final[frozenset[FailureKind]] = frozenset({"throttled", "not_allowed", "moved", "gone"})
_COUNTS: Final[frozenset[FailureKind]] = frozenset({"unavailable", "unclear"})
_SHORT_WORD: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,39}")
_OTHER_EXTERNAL_ID: Final = "the answer names another external id"
_WORDS_MAX: Final = 10  # chosen: of fields or ids named in a reason


class RecordApi:
    """One system, spoken to by several threads at a time; the changes of one record are sent in their order."""

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        allowed: Sequence[Network] = (),
        timeouts: Timeouts = TIMEOUTS,
        tls: ssl.SSLContext | None = None,
        load: Load = LOAD,
    ) -> None:
        """Call nobody yet.

        url      up to and without /api
        allowed  networks that are called though they are not public: Settings.outgoing_networks
        load     how much the system bears
        """
        self._url = url.rstrip("/")
        self._api_key = api_key
        client = partial(HttpClient, allowed=allowed, timeouts=timeouts, tls=tls, meter=load.meter)
        self._client = client(answer_bytes_max=RECORD_BYTES_MAX)
        self._pages = client(answer_bytes_max=PAGE_BYTES_MAX)
        self._threads = ThreadPoolExecutor(load.concurrency, thread_name_prefix="record-api")

    def close(self) -> None:
        """Let go of threads and connections."""
        self._threads.shutdown(cancel_futures=True)
        self._client.close()
        self._pages.close()

    def write(self, changes: Sequence[Change]) -> Sequence[Receipt | Failure]:
        """Carry out changes and say what became of each, in their order.

        After a failure the later changes of the same record are not sent; they fail in the same way. After one that
        the next request would share (throttled, not_allowed, moved, gone, or one more failure in a row of the system
        itself) nothing more is sent.
        """
        places: defaultdict[tuple[str, str, str], list[int]] = defaultdict(list)
        for place, change in enumerate(changes):
            places[_record_of(change)].append(place)
        brake = _Brake()
        running = [
            (its, self._threads.submit(self._write_in_order, [changes[place] for place in its], brake))
            for its in places.values()
        ]
        outcomes: dict[int, Receipt | Failure] = {}
        for its, future in running:
            outcomes.update(zip(its, future.result(), strict=True))
        return [outcomes[place] for place in range(len(changes))]

    def read(self, object_: str, native_ids: Sequence[str], *, scope: str = "") -> Mapping[str, RemoteRecord]:
        """Read records by native id, of one legal entity if it is named; those it does not have are left out.

        Raises CallFailed.
        """
        wanted = list(dict.fromkeys(native_ids))
        brake = _Brake()
        reads = [self._threads.submit(self._read_one, object_, native_id, brake, scope) for native_id in wanted]
        # All are awaited before the first failure is raised, so that none goes on behind the caller's back.
        failures = [failure for read in reads if isinstance(failure := read.result(), Failure)]
        if failures:
            raise CallFailed(failures[0])
        return {found.native_id: found for read in reads if isinstance(found := read.result(), RemoteRecord)}

    def changed(self, object_: str, *, after: str, limit: int) -> Page:
        """Read a page of records changed after a cursor; an empty one is the beginning. Raises CallFailed."""
        try:
            question = urlencode({"after": after, "limit": limit})
            answer = self._ask(self._pages, "GET", f"{_path(object_)}?{question}")
            return _page(_told(answer), object_)
        except CallFailed as failed:
            raise CallFailed(_of_a_read(failed.failure)) from failed

    def _write_in_order(self, changes: Sequence[Change], brake: "_Brake") -> list[Receipt | Failure]:
        outcomes: list[Receipt | Failure] = []
        failed: Failure | None = None
        for change in changes:
            failed = failed or brake.failure
            if failed is None:
                outcome = self._write_one(change)
                brake.note(outcome)
                failed = outcome if isinstance(outcome, Failure) else None
                outcomes.append(outcome)
            else:
                outcomes.append(replace(failed, reason=_short(f"not sent, after: {failed.reason}")))
        return outcomes

    def _write_one(self, change: Change) -> Receipt | Failure:
        method, path, document = _request(change)
        try:
            body = orjson.dumps(document, default=str)
        except orjson.JSONEncodeError:
            return Failure("refused", "the values cannot be written as JSON")
        try:
            answer = self._ask(self._client, method, path, key=change.request_id, body=body)
            if change.kind == "merge" and (refusal := _cannot_merge(answer)):
                return refusal
            record = _record(_told(answer))
            if flaw := _mismatch(change, record):
                return Failure("unclear", flaw, records=(record.native_id,) if flaw == _OTHER_EXTERNAL_ID else ())
            if change.kind == "create" and (doubt := self._doubt(record)):
                return doubt
        except CallFailed as failed:
            return failed.failure
        return Receipt(change.request_id, record.native_id, record.version, _differing(document, record))

    def _doubt(self, created: RemoteRecord) -> Failure | None:
        """Read a new record back by the id that was answered; say why it is not believed, None when it is.

        A record that bears another id by now may be another golden record's: an answer given as it was the first time.
        """
        found = self._read_one(created.object, created.native_id, _Brake(), created.scope)
        if isinstance(found, Failure):
            return Failure("unclear", _short(f"created, but reading it back failed: {found.reason}"))
        if found is None:
            return Failure("unclear", "created, but the id that was answered is not its id")
        if found.external_id != created.external_id:
            reason = "created, but the id that was answered is not its id"
            return Failure("unclear", reason, records=(created.native_id,))
        return None

    def _read_one(
        self, object_: str, native_id: str, brake: "_Brake", scope: str | None = None
    ) -> RemoteRecord | Failure | None:
        if brake.failure is not None:
            return brake.failure
        try:
            answer = self._ask(self._client, "GET", _path(object_, native_id, scope=scope))
            if answer.status == 404 and _error(answer).get("code") == "unknown_record":
                return None
            record = _record(_told(answer))
        except CallFailed as failed:
            failure = _of_a_read(failed.failure)
            brake.note(failure)
            return failure
        is_it = (record.object, record.native_id) == (object_, native_id)
        return record if is_it else Failure("unavailable", "the answer is about another record")

    def _ask(self, client: HttpClient, method: str, path: str, *, key: str = "", body: bytes = b"") -> Answer:
        asked = uuid.uuid4().hex
        headers = {"Authorization": f"Bearer {self._api_key}", "Accept": "application/json", "X-Request-Id": asked}
        if method != "GET":
            headers |= {"Content-Type": "application/json", "Idempotency-Key": key}
        answer = client.send(method, f"{self._url}{path}", headers=headers, body=body)
        repeated = answer.headers.get("x-request-id", "")
        # A gateway in between knows no ids, so that an error may come without; a success may not.
        if repeated != asked and (repeated or answer.is_success):
            raise CallFailed(Failure("unclear", "the answer belongs to another request"))
        return answer


class _Brake:
    """Ends a batch once the next request could fare no better. Threads share it; one request too many does no harm."""

    def __init__(self) -> None:
        self.failure: Failure | None = None
        self._in_a_row = 0

    def note(self, outcome: object) -> None:
        """Take note of what became of a request."""
        if not isinstance(outcome, Failure) or outcome.kind not in _COUNTS | _ENDS_A_BATCH:
            self._in_a_row = 0
            return
        self._in_a_row += 1
        if outcome.kind in _ENDS_A_BATCH:
            self.failure = self.failure or outcome
        elif self._in_a_row >= FAILURES_IN_A_ROW_MAX:
            # What was not sent is not unclear.
            self.failure = self.failure or Failure("unavailable", outcome.reason, outcome.retry_after_s)


def _record_of(change: Change) -> tuple[str, str, str]:
    assert bool(change.native_id) != (change.kind == "create"), "only a record that exists is changed"
    return change.object, change.scope, change.native_id or change.external_id or change.request_id


def _request(change: Change) -> tuple[str, str, dict[str, Any]]:
    path = _path(change.object, change.native_id, scope=change.scope)
    fields = dict(change.fields)
    match change.kind:
        case "create":
            document = {"scope": change.scope, "external_id": change.external_id, "fields": fields}
            return "POST", _path(change.object), document
        case "update":
            return (
                "PATCH",
                path,
                {"fields": fields, **({"external_id": change.external_id} if change.external_id else {})},
            )
        case "release":
            return "PATCH", path, {"fields": {}, "external_id": ""}
        case "deactivate" | "reactivate":
            return "POST", _path(change.object, change.native_id, f":{change.kind}", change.scope), {}
        case "merge":
            return "POST", _path(change.object, change.native_id, ":merge", change.scope), {"into": change.into}


def _path(object_: str, native_id: str = "", verb: str = "", scope: str | None = None) -> str:
    path = f"/api/{quote(object_, safe='')}"
    if native_id:
        path += f"/{quote(native_id, safe='')}{verb}"
    return f"{path}?{urlencode({'scope': scope})}" if scope else path


def _told(answer: Answer) -> Any:
    """Read what a success tells; raises CallFailed for anything else."""
    if failure := failure_of(answer):
        raise CallFailed(_explained(failure, answer))
    return answer.document()


def _cannot_merge(answer: Answer) -> Failure | None:
    """Give the answer that this system merges no such records, or knows no merge at all; None where it says else.

    404 is none: it says as well that the record is not there.
    """
    failure = failure_of(answer)
    if failure is None:
        return None
    says_so = failure.kind == "refused" and _error(answer).get("code") == "cannot_merge"
    return replace(_explained(failure, answer), kind="unsupported") if says_so or answer.status in {405, 501} else None


def _record(document: Any) -> RemoteRecord:
    """Read a record; raises CallFailed with `unclear`, since what was asked may be done."""
    shown = document.get("record") if isinstance(document, dict) else None
    if record := _remote(shown):
        return record
    raise CallFailed(Failure("unclear", "the answer is no record"))


def _remote(shown: Any) -> RemoteRecord | None:
    try:
        record = RemoteRecord(
            object=shown["object"],
            scope=shown.get("scope", ""),
            native_id=shown["id"],
            fields=shown["fields"],
            version=str(shown["version"]),
            changed_at=_instant(shown["changed_at"]),
            is_active=shown.get("is_active", True),
            merged_into=shown.get("merged_into", ""),
            external_id=shown.get("external_id", ""),
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    texts = (record.object, record.scope, record.native_id, record.merged_into, record.external_id)
    is_whole = record.native_id and isinstance(record.fields, dict)
    return record if is_whole and all(isinstance(text, str) for text in texts) else None


def _instant(text: str) -> datetime:
    """Read an instant with its offset; raises ValueError."""
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(text)
    return in_utc(instant)


def _page(document: Any, object_: str) -> Page:
    broken = CallFailed(Failure("refused", "the answer is no page of records"))
    if not isinstance(document, dict) or not isinstance(document.get("records"), list):
        raise broken
    records = [record for shown in document["records"] if (record := _remote(shown)) and record.object == object_]
    cursor, is_last = document.get("cursor"), document.get("is_last")
    if len(records) < len(document["records"]) or not isinstance(cursor, str) or not isinstance(is_last, bool):
        raise broken
    return Page(records, cursor, is_last)


def _mismatch(change: Change, record: RemoteRecord) -> str:
    """Say in what the record of an answer is not the one that was asked for, "" when it is."""
    is_scope_open = not change.scope and change.kind != "create"
    if record.object != change.object or not (is_scope_open or record.scope == change.scope):
        return "the answer names another object or scope"
    if change.native_id and record.native_id != change.native_id:
        return "the answer names another id"
    if change.external_id and record.external_id != change.external_id and change.kind in {"create", "update"}:
        return _OTHER_EXTERNAL_ID
    if change.kind == "release" and record.external_id:
        return "the answer names an external id still"
    if change.kind == "merge" and record.merged_into != change.into:
        return "the answer names another survivor"
    return ""


def _differing(document: Mapping[str, Any], record: RemoteRecord) -> tuple[str, ...]:
    asked = orjson.loads(orjson.dumps(document.get("fields") or {}, default=str))
    empty = (None, "")
    pairs = ((name, value, record.fields.get(name)) for name, value in asked.items())
    return tuple(name for name, value, held in pairs if held != value and not (held in empty and value in empty))


def _of_a_read(failure: Failure) -> Failure:
    """Read again what was not read: nothing can have been done."""
    return replace(failure, kind="unavailable") if failure.kind == "unclear" else failure


def _explained(failure: Failure, answer: Answer) -> Failure:
    """Add what a person needs: the fields that were not taken, or the records that are in the way; no values."""
    matches = _error(answer).get("matches")
    records = tuple(one for one in matches if isinstance(one, str)) if isinstance(matches, list) else ()
    kind = "taken" if _error(answer).get("code") == "external_id_taken" else failure.kind
    failure = replace(failure, kind=kind, records=records[:_WORDS_MAX])
    words = ", ".join([*_named_fields(answer), *_named_records(answer)][:_WORDS_MAX])
    return replace(failure, reason=_short(f"{failure.reason}: {words}")) if words else failure


def _named_fields(answer: Answer) -> Iterator[str]:
    fields = _error(answer).get("fields")
    for each in fields if isinstance(fields, list) else ():
        if isinstance(each, dict) and (name := _word(each.get("field"))):
            code = _word(each.get("code"))
            yield f"{name} {code}" if code else name


def _named_records(answer: Answer) -> Iterator[str]:
    error = _error(answer)
    matches = error.get("matches")
    for native_id in matches if isinstance(matches, list) else ():
        if word := _word(native_id):
            yield f"see {word}"
    if word := _word(error.get("merged_into")):
        yield f"merged into {word}"


def _word(told: Any) -> str:
    """Take only short words: anything longer may quote what was sent."""
    return told if isinstance(told, str) and _SHORT_WORD.fullmatch(told) else ""


def _error(answer: Answer) -> Mapping[str, Any]:
    try:
        document = orjson.loads(answer.body)
    except orjson.JSONDecodeError:
        return {}
    error = document.get("error") if isinstance(document, dict) else None
    return error if isinstance(error, dict) else {}


def _short(reason: str) -> str:
    return reason[:REASON_LENGTH_MAX]
