"""A target as its YAML file declares it: read with all faults at once, each with its line and what to write instead."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_args

import orjson
from pydantic import Field, StringConstraints, TypeAdapter

from mdm.delivery.connection import check_connection, connection_schemas
from mdm.delivery.model import (
    Declaration,
    EventSubscription,
    FieldRule,
    MissingParent,
    OnMerge,
    Owner,
    Rate,
    Reconcile,
    RecordSubscription,
    Repair,
    Unknown,
    WhereItCannot,
)
from mdm.delivery.schedule_declaration import ScheduleDeclaration, schedule_faults, schedule_of
from mdm.entities.declaration import Name, Part, Text
from mdm.entities.document import Document, Fault, Place, read_document
from mdm.entities.model import EntityType
from mdm.entities.shape import check_shape, suggest
from mdm.errors import TargetDeclarationInvalid
from mdm.publishing.model import GoldenEventKind
from mdm.settings import SECRET_NAME

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Seconds = Annotated[float, Field(ge=0, le=30 * 24 * 3_600, allow_inf_nan=False)]
Conditions = dict[Name, list[Text]]
EVENT_KINDS: Final = get_args(GoldenEventKind)


class RateDeclaration(Part):
    """How much the target may be asked, over all processes of the hub."""

    per_second: Annotated[float, Field(gt=0, le=100_000, allow_inf_nan=False)] = 50.0
    burst: Annotated[float, Field(ge=1, le=100_000, allow_inf_nan=False)] | None = Field(
        None, description="calls at once after a pause; left out: one second's worth"
    )


class FieldDeclaration(Part):
    """One attribute in one field of the target."""

    field: Text | None = Field(None, description="name of the field in the target; left out: the attribute's own")
    owner: Owner = "hub"
    codes: dict[Text, Text] = Field({}, description="the target's word for each code of ours")
    takes: Literal["all", "first"] = "all"
    clears: bool = Field(default=False, description="empty the field once no source says anything any more")


class RecordsDeclaration(Part):
    """What the target gets of one entity type."""

    object: Text
    scope: Annotated[str, StringConstraints(max_length=100)] = Field(
        "", description="legal entity or subsidiary where new records are made"
    )
    creates: bool = Field(default=False, description="make records that the target does not have")
    when: Conditions = Field({}, description="values of which one must stand, by attribute; all attributes must fit")
    on_merge: OnMerge = "link"
    where_it_cannot: WhereItCannot = Field(
        "link", description="with on_merge: merge, what becomes of a record that the target says it cannot merge"
    )
    missing_parent: MissingParent = "wait"
    fields: dict[Name, FieldDeclaration]
    match_on: list[Name] = Field(
        [],
        description="attributes that together tell which golden record a record of the target is, before any matching",
    )
    unknown: Unknown = Field("ingest", description="what becomes of records that match no golden record")
    use_flag: Annotated[str, StringConstraints(max_length=100)] = Field(
        "",
        description="field that says a record is out of use: what the hub does with it is no news when it comes back",
    )


class EventsDeclaration(Part):
    """Which messages the target gets."""

    entities: list[Name]
    kinds: list[Text] = Field([], description="kinds of events of golden records; left out: all")
    when: Conditions = Field({}, description="as of records")
    payload: Literal["thin", "full"] = "thin"


class ReconcileDeclaration(Part):
    """How often the target is compared with what it should hold, and what is done about it."""

    every_hours: Annotated[float, Field(gt=0, le=24 * 366, allow_inf_nan=False)] | None = Field(
        None, description="left out: only when somebody asks"
    )
    repair: Repair = "none"


class TargetDeclaration(Part):
    """A target: a system whose records are written, or a place that messages are sent to."""

    target: Id
    title: Text
    kind: Literal["records", "webhook", "nats", "rabbitmq", "kafka"]
    connection: dict[Name, Any] = Field(
        description="connector, url and what else it needs; a secret is named by the environment variable that has it"
    )
    instance: Id | None = Field(None, description="for records: the source instance whose records these are")
    rate: RateDeclaration = RateDeclaration()
    undo_window_s: Seconds = Field(0.0, description="news of merges and splits wait so long for an undo")
    failing_for_s: Seconds = Field(5 * 24 * 3_600.0, description="a target that fails for so long is stopped")
    records: dict[Name, RecordsDeclaration] = Field({}, description="for records: by entity type")
    events: EventsDeclaration | None = None
    reconcile: ReconcileDeclaration | None = Field(None, description="for records")
    schedule: ScheduleDeclaration | None = Field(None, description="left out: it is told at any time")


_SECRET_WORDS: Final = re.compile(r"(^|_)(secret|token|password|key|credential)s?$")
_PLAIN: Final = TypeAdapter(TargetDeclaration)


def read_declaration(path: Path, declared: Mapping[str, EntityType]) -> tuple[Declaration, Mapping[str, Any]]:
    """Read a target's file; return it with its plain content, to be kept. Raises TargetDeclarationInvalid."""
    document, faults = read_document(path)
    if document is None:
        raise TargetDeclarationInvalid([str(fault) for fault in faults])
    return _checked(document, faults, declared), document.content


def check_declaration(content: Mapping[str, Any], declared: Mapping[str, EntityType]) -> Declaration:
    """Read a declaration that came as plain values, as by HTTP. Raises TargetDeclarationInvalid with every fault."""
    # Nothing of it stands in a line: a fault names its place alone.
    return _checked(Document("the declaration", dict(content), dict.fromkeys(_places(content), 0)), (), declared)


def declaration_of(content: Mapping[str, Any]) -> Declaration:
    """Give the declaration of a content that was read and kept before."""
    return _parsed(orjson.dumps(content))


def target_schema() -> dict[str, Any]:
    """Give the JSON Schema of the file, for editors: what `connection` takes depends on the kind."""
    schema = TargetDeclaration.model_json_schema()
    by_kind, definitions = connection_schemas()
    schema["$defs"] |= definitions
    schema["properties"]["connection"] |= {"anyOf": list(by_kind.values())}
    schema["allOf"] = [
        {"if": {"properties": {"kind": {"const": kind}}}, "then": {"properties": {"connection": shape}}}
        for kind, shape in by_kind.items()
    ]
    return schema


@lru_cache(maxsize=256)
def _parsed(content: bytes) -> Declaration:
    return _declaration(_PLAIN.validate_json(content))


def _checked(document: Document, faults: Iterable[Fault], declared: Mapping[str, EntityType]) -> Declaration:
    shaped, found = check_shape(document, TargetDeclaration)
    found = [*faults, *found]
    known = {one.place for one in found}
    found.extend(one for one in _connection_faults(document) if one.place not in known)
    if shaped is not None:
        found.extend(_crosscheck(document, shaped, declared))
    if shaped is None or found:
        found.sort(key=lambda fault: fault.line)
        places = [tuple(filter(None, one.place.split("."))) for one in found]
        raise TargetDeclarationInvalid([str(one) for one in found], places)
    return _declaration(shaped)


def _places(content: Any, place: Place = ()) -> Iterator[Place]:
    yield place
    steps: Iterable[tuple[str | int, Any]] = ()
    if isinstance(content, Mapping):
        steps = content.items()
    elif isinstance(content, list):
        steps = enumerate(content)
    for step, part in steps:
        yield from _places(part, (*place, step))


def _connection_faults(document: Document) -> Iterator[Fault]:
    """Find what the connector does not take, also where another part of the file has no right shape."""
    found = check_connection(document)[1]
    yield from found
    content = document.content.get("connection")
    for name, value in content.items() if isinstance(content, dict) else ():
        # A key that no connector has may hold a secret as well: the file is kept in the database and shown to people.
        if _SECRET_WORDS.search(name) and not SECRET_NAME.fullmatch(str(value)):
            remedy = "name an environment variable that holds it, as MDM_SECRET_NETSUITE_US"
            fault = document.fault(("connection", name), "a secret does not belong into this file", remedy)
            if fault not in found:
                yield fault


def _crosscheck(document: Document, shaped: TargetDeclaration, declared: Mapping[str, EntityType]) -> Iterator[Fault]:
    """Find what a shape cannot say: that every name is declared, and that kind and sections fit."""
    if shaped.kind != "records":
        if shaped.events is None:
            yield document.fault(("kind",), f"a {shaped.kind} needs `events`", "say which entity types it is told of")
        elif shaped.records:
            yield document.fault(("records",), f"a {shaped.kind} has no records", "use `events`")
    elif not shaped.records or shaped.events is not None:
        yield document.fault(("kind",), "a target of kind records needs `records`, not `events`", "name its objects")
    elif shaped.instance is None:
        yield document.fault(("kind",), "`instance` is missing", "name the source instance whose records these are")
    if shaped.reconcile is not None and shaped.kind != "records":
        yield document.fault(("reconcile",), f"a {shaped.kind} holds nothing to compare", "leave it out")
    yield from schedule_faults(document, shaped.schedule)
    if shaped.events is not None:
        yield from _known(document, ("events", "entities"), shaped.events.entities, declared)
        yield from _known(document, ("events", "kinds"), shaped.events.kinds, EVENT_KINDS)
        for name in set(shaped.events.entities) & declared.keys():
            yield from _known(document, ("events", "when"), shaped.events.when, declared[name].attributes)
    yield from _known(document, ("records",), shaped.records, declared)
    for name in shaped.records.keys() & declared.keys():
        place: Place = ("records", name)
        attributes = declared[name].attributes
        yield from _known(document, (*place, "fields"), shaped.records[name].fields, attributes)
        yield from _known(document, (*place, "when"), shaped.records[name].when, attributes)
        yield from _known(document, (*place, "match_on"), shaped.records[name].match_on, shaped.records[name].fields)
        yield from _matchable(document, (*place, "match_on"), shaped.records[name].match_on, declared[name])
        yield from _readable_back(document, (*place, "fields"), shaped.records[name].fields)


def _known(document: Document, place: Place, names: Iterable[str], known: Iterable[str]) -> Iterator[Fault]:
    known = tuple(known)
    for index, name in enumerate(names):
        if name not in known:
            spot = (*place, name) if (*place, name) in document.lines else (*place, index)
            yield document.fault(spot, f"{name!r} is not declared", suggest(name, known, otherwise="check the name"))


def _matchable(document: Document, place: Place, names: Sequence[str], entity_type: EntityType) -> Iterator[Fault]:
    """Refuse to match on what a record points at: that is matched itself first."""
    for index, name in enumerate(names):
        attribute = entity_type.attributes.get(name)
        if attribute is not None and (attribute.reference is not None or attribute.semantic_type == "element"):
            remedy = "name one with plain values, as tax_ids"
            yield document.fault((*place, index), f"{name!r} is no attribute to match on", remedy)


def _readable_back(document: Document, place: Place, fields: Mapping[str, FieldDeclaration]) -> Iterator[Fault]:
    """Refuse words that stand for one code and are another one: nobody could tell what the target says."""
    for attribute, part in fields.items():
        for code, word in part.codes.items():
            if part.codes.get(word, word) != word:
                remedy = "give one of the two another word"
                spot = (*place, attribute, "codes", code)
                yield document.fault(spot, f"{word!r} stands for {code!r} and is a code of its own", remedy)


def _declaration(shaped: TargetDeclaration) -> Declaration:
    return Declaration(
        id=shaped.target,
        title=shaped.title,
        kind=shaped.kind,
        connection=shaped.connection,
        instance=shaped.instance or "",
        rate=Rate(shaped.rate.per_second, shaped.rate.burst or max(1.0, shaped.rate.per_second)),
        undo_window=timedelta(seconds=shaped.undo_window_s),
        failing_for=timedelta(seconds=shaped.failing_for_s),
        records={name: _records(name, part) for name, part in shaped.records.items()},
        events=_events(shaped.events) if shaped.events is not None else None,
        reconcile=_reconcile(shaped.reconcile or ReconcileDeclaration()),
        schedule=schedule_of(shaped.schedule),
    )


def _records(name: str, part: RecordsDeclaration) -> RecordSubscription:
    return RecordSubscription(
        entity_type=name,
        object=part.object,
        scope=part.scope,
        creates=part.creates,
        conditions=_conditions(part.when),
        on_merge=part.on_merge,
        missing_parent=part.missing_parent,
        fields=tuple(
            FieldRule(attribute, one.field or attribute, one.owner, one.codes, one.takes, one.clears)
            for attribute, one in part.fields.items()
        ),
        match_on=tuple(part.match_on),
        unknown=part.unknown,
        use_flag=part.use_flag,
        where_it_cannot=part.where_it_cannot,
    )


def _reconcile(part: ReconcileDeclaration) -> Reconcile:
    every = timedelta(hours=part.every_hours) if part.every_hours is not None else None
    return Reconcile(every, part.repair)


def _events(part: EventsDeclaration) -> EventSubscription:
    return EventSubscription(tuple(sorted(set(part.entities))), tuple(part.kinds), _conditions(part.when), part.payload)


def _conditions(when: Conditions) -> dict[str, tuple[str, ...]]:
    return {attribute: tuple(values) for attribute, values in when.items()}
