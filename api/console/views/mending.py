"""Exceptions as pages show them: groups, lines, fields to mend; and what a form changed of them. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.parse import urlencode

from api.console.views.systems import SystemShown, system_shown
from api.console.views.text import plain
from api.console.views.words import Words
from mdm.entities.model import EntityType, Reason
from mdm.errors import InputInvalid
from mdm.jobs.mending import ExceptionCard, FieldTold
from mdm.sources.exceptions_model import ExceptionFilter, ReasonGroup
from mdm.sources.model import DeliveryException, SourceKey

LINE_LETTERS_MAX: Final = 90  # chosen: a longer value gets a field of several lines
NAMES: Final = ("entity_type", "source", "kind", "code", "field")
PREFIX: Final = "field."

Control = Literal["line", "text", "json"]


@dataclass(frozen=True, slots=True)
class GroupShown:
    """Exceptions that share a reason; `url` lists them alone."""

    group: ReasonGroup
    url: str
    reason: str
    title: str
    kind: str
    system: SystemShown


@dataclass(frozen=True, slots=True)
class LineShown:
    """One exception in a list."""

    exception: DeliveryException
    key: str
    kind: str
    system: SystemShown


@dataclass(frozen=True, slots=True)
class Field:
    """One field to mend: its name in the form, what it is called, its text, and what is wrong with it.

    hidden  what of the text cannot be seen, named; "" where all can
    """

    name: str
    title: str
    column: str
    text: str
    control: Control
    faults: tuple[Reason, ...]
    hidden: str = ""


def group_shown(
    group: ReasonGroup, declared: Mapping[str, EntityType], titles: Mapping[str, str], words: Words
) -> GroupShown:
    """Show a group with the words of its reason and the title of its field."""
    entity_type = declared.get(group.entity_type)
    attribute = entity_type.attributes.get(group.field.partition(".")[0]) if entity_type else None
    asked = {"entity_type": group.entity_type, "source": group.source, "kind": group.kind, "code": group.code}
    reason = words.word("reason", group.code)
    return GroupShown(
        group=group,
        url=f"/exceptions?{urlencode({**asked, 'field': group.field})}",
        reason=reason[:1].upper() + reason[1:],
        title=attribute.title if attribute else words.word("field", group.field),
        kind=words.word("entities", group.entity_type),
        system=system_shown(group.source, titles),
    )


def line_shown(found: DeliveryException, titles: Mapping[str, str], words: Words) -> LineShown:
    """Show one exception by the key of its record."""
    key = SourceKey.parse(found.source_key)
    return LineShown(found, key.native_id, words.word("entity", found.entity_type), system_shown(key.instance, titles))


def address_of(asked: ExceptionFilter, **changes: str) -> str:
    """Write the address of the list with this filter."""
    named = {name: getattr(asked, name) or "" for name in NAMES}
    named["state"] = "" if asked.state == "open" else asked.state
    wanted = {name: value for name, value in {**named, **changes}.items() if value}
    return f"/exceptions?{urlencode(wanted)}" if wanted else "/exceptions"


def fields_of(card: ExceptionCard) -> tuple[Field, ...]:
    """Show every field of an exception as it can be mended."""
    return tuple(_field(one) for one in card.fields)


def changes_of(found: DeliveryException, typed: Mapping[str, str]) -> dict[str, Any]:
    """Tell what a form changed; an emptied field is left out (None). Raises InputInvalid for what is no JSON."""
    changes: dict[str, Any] = {}
    for name, text in typed.items():
        before = found.fields.get(name)
        if text == _text(before):
            continue
        changes[name] = _read(name, text, before) if text.strip() else None
        if changes[name] is None and name not in found.fields:
            del changes[name]
    return changes


def _field(told: FieldTold) -> Field:
    text = _text(told.value)
    control: Control = "line"
    if isinstance(told.value, dict | list):
        control = "json"
    elif "\n" in text or len(text) > LINE_LETTERS_MAX:
        control = "text"
    shown = plain(text, 2_000)
    is_seen = control != "line" or shown == text or not text
    column = "" if told.column == told.title else told.column
    return Field(
        told.column or told.attribute, told.title, column, text, control, told.faults, "" if is_seen else shown
    )


def _text(value: Any) -> str:
    """Write a value as it stands in a form: with line feeds alone, as browsers send them back."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value.replace("\r\n", "\n").replace("\r", "\n")
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False, indent=1)
    return json.dumps(value)


def _read(name: str, text: str, before: Any) -> Any:
    if before is None or isinstance(before, str):
        return text
    try:
        return json.loads(text)
    except ValueError:
        if isinstance(before, dict | list):
            raise InputInvalid(
                f"what stands in {name[:60]} is no JSON any more", remedy="keep its brackets and quotes", field=name
            ) from None
    return text
