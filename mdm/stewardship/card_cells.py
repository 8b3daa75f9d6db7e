"""What the columns of a review card hold for each attribute, and where each value comes from: pure.

A column of a pair shows the compared record's own value where matching looks at it, else what its golden record shows;
a column of a cluster is one record.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from matching.records import Forms
from mdm.entities.model import EntityType
from mdm.ids import GoldenId, RecordId
from mdm.sources.model import SourceInstance, SourceRecord
from mdm.stewardship.card_model import TEXT_LENGTH_MAX, TEXTS_MAX, Form, Named, Origin, Shown
from mdm.survivorship.model import GoldenVersion

Values = Mapping[str, Any]
FormsOf = Callable[[int, str, str], tuple[Form, ...]]


@dataclass(frozen=True, slots=True)
class Held:
    """A value that a column holds, before it is told in texts."""

    value: Any
    origin: Origin | None
    is_compared: bool
    is_shown: bool


@dataclass(frozen=True, slots=True)
class Known:
    """What turns records and ids into something people read."""

    records: Mapping[RecordId, SourceRecord]
    instances: Mapping[str, SourceInstance]
    names: Mapping[GoldenId, Named]

    def origin(self, record: SourceRecord, *, rule: str = "", also_in: int = 0) -> Origin:
        """Tell which record a value comes from."""
        source = record.key.instance
        title = self.instances[source].title if source in self.instances else source
        return Origin(str(record.key), source, title, record.source_time, rule, also_in)

    def from_lineage(self, line: Mapping[str, Any] | None) -> Origin | None:
        """Tell where a golden value comes from, given its lineage as it is stored."""
        if line is None:
            return None
        record, also_in = self.records.get(RecordId(line["record_id"])), len(line.get("agreeing", ()))
        if record is None:
            source = line["record_key"].partition("/")[0]
            title = self.instances[source].title if source in self.instances else source
            origin = Origin(line["record_key"], source, title, None, line["rule"], also_in)
        else:
            origin = self.origin(record, rule=line["rule"], also_in=also_in)
        override = line.get("override")
        if override is None:
            return origin
        return replace(origin, override_by=override["author"], override_reason=override["reason"][:TEXT_LENGTH_MAX])


def evidence_attributes(entity_type: EntityType) -> frozenset[str]:
    """Name the attributes that a comparison of the match model reads."""
    compared = {comparison.feature for comparison in entity_type.model.comparisons}
    return frozenset(
        path.partition(".")[0]
        for feature in entity_type.model.features
        if feature.name in compared
        for path in feature.attributes
    )


def held_by_pair(
    entity_type: EntityType, known: Known, record: SourceRecord, version: GoldenVersion, fellows: Sequence[SourceRecord]
) -> dict[str, Held]:
    """Give what the column of a golden record holds, `record` being the one of its members that is compared."""
    looked_at = evidence_attributes(entity_type)
    held = {}
    for name, attribute in entity_type.attributes.items():
        own, golden = record.values.get(name), version.values.get(name)
        line = version.lineage.get(name)
        if name in looked_at and attribute.reference is None and own is not None:
            also_in = sum(one.values.get(name) == own for one in fellows) - 1
            rule = line["rule"] if line is not None and line["record_id"] == record.id else ""
            origin = known.origin(record, rule=rule, also_in=max(also_in, 0))
            held[name] = Held(own, origin, is_compared=True, is_shown=_is_in(own, golden))
        elif golden is not None or line is not None:
            held[name] = Held(golden, known.from_lineage(line), is_compared=False, is_shown=True)
    return held


def held_by_record(
    entity_type: EntityType, known: Known, record: SourceRecord, values: Values, all_values: Sequence[Values]
) -> dict[str, Held]:
    """Give what the column of one record of a cluster holds; `values` are its own with references resolved."""
    held = {}
    for name in entity_type.attributes:
        own = values.get(name)
        if own is not None:
            also_in = sum(one.get(name) == own for one in all_values) - 1
            held[name] = Held(own, known.origin(record, also_in=max(also_in, 0)), is_compared=True, is_shown=True)
    return held


def shown(
    entity_type: EntityType, name: str, value: Any, known: Known, forms_of: Callable[[str], tuple[Form, ...]]
) -> tuple[tuple[Shown, ...], int]:
    """Tell a value as texts, cut at the bounds, and count those that are left out."""
    if value is None:
        return (), 0
    parts = value if isinstance(value, list) else [value]
    told = tuple(_shown(entity_type, name, part, known, forms_of) for part in parts[:TEXTS_MAX])
    return told, max(0, len(parts) - TEXTS_MAX)


def texts_of(value: Any) -> list[str]:
    """List the texts of a value that are short enough to be told as the matcher sees them."""
    parts = value if isinstance(value, list) else [value]
    return [part for part in parts[:TEXTS_MAX] if isinstance(part, str) and len(part) <= TEXT_LENGTH_MAX]


def as_records(
    entity_type: EntityType, columns: Sequence[tuple[SourceRecord, Mapping[str, Held]]]
) -> tuple[list[SourceRecord], dict[tuple[int, str, str], int]]:
    """Make a record of each text that matching looks at, so that its compare form can be told from the others.

    returns  the records, and the place of each among them by column, attribute and text
    """
    countries = {name for feature in entity_type.model.features for name in feature.country_from}
    plain = {path for feature in entity_type.model.features for path in feature.attributes if "." not in path}
    records: list[SourceRecord] = []
    places: dict[tuple[int, str, str], int] = {}
    for column, (record, held) in enumerate(columns):
        country = {name: held[name].value for name in countries if name in held}
        for name in sorted(plain & held.keys()):
            for text in texts_of(held[name].value):
                if (column, name, text) not in places:
                    places[column, name, text] = len(records)
                    value = [text] if isinstance(held[name].value, list) else text
                    records.append(replace(record, values={**country, name: value}))
    return records, places


def forms_told(
    entity_type: EntityType, forms: Forms, first: int, places: Mapping[tuple[int, str, str], int]
) -> FormsOf:
    """Give a function that tells what the matcher sees of a text of a column; `first` is the place of record 0."""
    reading: dict[str, list[str]] = {}
    for feature in entity_type.model.features:
        for path in feature.attributes:
            reading.setdefault(path, []).append(feature.name)

    def told(column: int, name: str, text: str) -> tuple[Form, ...]:
        place = places.get((column, name, text))
        if place is None:
            return ()
        return tuple(Form(feature, forms.features[feature].of(first + place)) for feature in reading.get(name, ()))

    return told


def _is_in(own: Any, golden: Any) -> bool:
    if isinstance(own, list) and isinstance(golden, list):
        return all(part in golden for part in own)
    return bool(own == golden)


def _shown(
    entity_type: EntityType, name: str, part: Any, known: Known, forms_of: Callable[[str], tuple[Form, ...]]
) -> Shown:
    if isinstance(part, Mapping):
        whole = ", ".join(str(text) for text in part.values())
        fields = tuple((field, str(text)[:TEXT_LENGTH_MAX]) for field, text in part.items())
        return Shown(whole[:TEXT_LENGTH_MAX], len(whole), fields=fields)
    text = str(part)
    attribute = entity_type.attributes[name]
    if attribute.reference is not None:
        return Shown(text[:TEXT_LENGTH_MAX], len(text), names=known.names.get(GoldenId(text)))
    codes = entity_type.code_lists.get(attribute.code_list or "")
    title = codes.codes.get(text, "") if codes is not None else ""
    return Shown(text[:TEXT_LENGTH_MAX], len(text), title=title, forms=forms_of(text))
