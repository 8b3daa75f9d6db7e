"""A target as its YAML file declares it: read with all faults at once, each with its line and what to write instead."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
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
from mdm.entities.declaration import Id, Name, Part, Text
from mdm.entities.document import Document, Fault, Place, read_document
from mdm.entities.model import EntityType
from mdm.entities.shape import check_shape, dig, suggest
from mdm.errors import TargetDeclarationInvalid
from mdm.publishing.model import GoldenEventKind
from mdm.settings import SECRET_NAME

Seconds = Annotated[float, Field(ge=0, le=30 * 24 * 3_600, allow_inf_nan=False)]
Conditions = dict[Name, list[Text]]
Kind = Literal["records", "webhook", "nats", "rabbitmq", "kafka"]
KINDS: Final = get_args(Kind)
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
    kind: Kind
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


def read_declaration(
    path: Path, declared: Mapping[str, EntityType], instances: Collection[str] | None = None
) -> tuple[Declaration, Mapping[str, Any]]:
    """Read a target's file; return it with its plain content, to be kept. Raises TargetDeclarationInvalid.

    instances  the source instances that are registered; None: whether its own is one is not asked
    """
    document, faults = read_document(path)
    if document is None:
        raise TargetDeclarationInvalid([str(fault) for fault in faults])
    return _checked(document, faults, declared, instances), document.content


def check_declaration(
    content: Mapping[str, Any], declared: Mapping[str, EntityType], instances: Collection[str] | None = None
) -> Declaration:
    """Read a declaration that came as plain values, as by HTTP. Raises TargetDeclarationInvalid with every fault."""
    # Nothing of it stands in a line: a fault names its place alone.
    document = Document("the declaration", dict(content), dict.fromkeys(_places(content), 0))
    return _checked(document, (), declared, instances)


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


def _checked(
    document: Document,
    faults: Iterable[Fault],
    declared: Mapping[str, EntityType],
    instances: Collection[str] | None,
) -> Declaration:
    shaped, found = check_shape(document, TargetDeclaration)
    found = [*faults, *found]
    # What has no right shape is told as that alone.
    misshapen = {one.place for one in found}
    found.extend(one for one in _connection_faults(document) if one.place not in misshapen)
    crossed = [*_crosscheck(document, declared), *_instance_faults(document, instances)]
    # A condition may be on an attribute that several entity types lack: that is one fault.
    unique = {(one.place, one.problem): one for one in crossed if one.place not in misshapen}
    found.extend(unique.values())
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


def _crosscheck(document: Document, declared: Mapping[str, EntityType]) -> Iterator[Fault]:
    """Find what a shape cannot say: that every name is declared, and that kind and sections fit.

    Each check reads the places of right shape and leaves the others out, so that a bad one hides no fault of others.
    """
    yield from _section_faults(document)
    yield from schedule_faults(document)
    entities: Place = ("events", "entities")
    yield from _known(document, entities, declared)
    yield from _known(document, ("events", "kinds"), EVENT_KINDS)
    for name, _ in _names(document, entities):
        if name in declared:
            yield from _known(document, ("events", "when"), declared[name].attributes)
    yield from _known(document, ("records",), declared)
    for name, _ in _names(document, ("records",)):
        if name in declared:
            yield from _record_faults(document, ("records", name), declared[name])


def _section_faults(document: Document) -> Iterator[Fault]:
    content = document.content
    kind = content.get("kind")
    if kind not in KINDS:
        return
    has_events, has_records = content.get("events") is not None, content.get("records", {}) != {}
    if kind != "records":
        if not has_events:
            yield document.fault(("kind",), f"a {kind} needs `events`", "say which entity types it is told of")
        elif has_records:
            yield document.fault(("records",), f"a {kind} has no records", "use `events`")
    elif not has_records or has_events:
        yield document.fault(("kind",), "a target of kind records needs `records`, not `events`", "name its objects")
    elif content.get("instance") is None:
        yield document.fault(("kind",), "`instance` is missing", "name the source instance whose records these are")
    if content.get("reconcile") is not None and kind != "records":
        yield document.fault(("reconcile",), f"a {kind} holds nothing to compare", "leave it out")


def _instance_faults(document: Document, instances: Collection[str] | None) -> Iterator[Fault]:
    named = document.content.get("instance")
    if isinstance(named, str) and instances is not None and named not in instances:
        remedy = f"register it with `mdm sources add`; known are {', '.join(instances) or 'none yet'}"
        yield document.fault(("instance",), f"there is no source instance {named!r}", remedy)


def _record_faults(document: Document, place: Place, entity_type: EntityType) -> Iterator[Fault]:
    attributes, fields = entity_type.attributes, dig(document.content, (*place, "fields"))
    yield from _known(document, (*place, "fields"), attributes)
    yield from _known(document, (*place, "when"), attributes)
    # Where the fields cannot be read, an attribute that is declared may well be one of them.
    yield from _known(document, (*place, "match_on"), fields if isinstance(fields, dict) else attributes)
    yield from _matchable(document, (*place, "match_on"), entity_type)
    yield from _filled_twice(document, (*place, "fields"))
    for attribute, _ in _names(document, (*place, "fields")):
        yield from _readable_back(document, (*place, "fields", attribute, "codes"))


def _names(document: Document, place: Place) -> Iterator[tuple[str, Place]]:
    """Give the keys of a mapping, or the texts of a list, with the place of each; none where something else stands."""
    content = dig(document.content, place)
    if isinstance(content, dict):
        yield from ((name, (*place, name)) for name in content)
    elif isinstance(content, list):
        yield from ((name, (*place, index)) for index, name in enumerate(content) if isinstance(name, str))


def _known(document: Document, place: Place, known: Iterable[str]) -> Iterator[Fault]:
    known = tuple(known)
    for name, spot in _names(document, place):
        if name not in known:
            yield document.fault(spot, f"{name!r} is not declared", suggest(name, known, otherwise="check the name"))


def _matchable(document: Document, place: Place, entity_type: EntityType) -> Iterator[Fault]:
    """Refuse to match on what a record points at: that is matched itself first."""
    for name, spot in _names(document, place):
        attribute = entity_type.attributes.get(name)
        if attribute is not None and (attribute.reference is not None or attribute.semantic_type == "element"):
            remedy = "name one with plain values, as tax_ids"
            yield document.fault(spot, f"{name!r} is no attribute to match on", remedy)


def _filled_twice(document: Document, place: Place) -> Iterator[Fault]:
    """Refuse two attributes for one field: what it holds would depend on their order."""
    by_field: dict[str, str] = {}
    for attribute, spot in _names(document, place):
        named = dig(document.content, (*spot, "field"))
        field = named if isinstance(named, str) and named else attribute
        first = by_field.setdefault(field, attribute)
        if first != attribute:
            yield document.fault(spot, f"the field {field!r} is that of {first} already", "give one attribute a field")


def _readable_back(document: Document, place: Place) -> Iterator[Fault]:
    """Refuse words that stand for one code and are another one: nobody could tell what the target says."""
    codes = dig(document.content, place)
    for code, word in codes.items() if isinstance(codes, dict) else ():
        if isinstance(word, str) and codes.get(word, word) != word:
            remedy = "give one of the two another word"
            yield document.fault((*place, code), f"{word!r} stands for {code!r} and is a code of its own", remedy)


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
