"""From a table of delivered columns to records for matching, without a Python object per row.

Each distinct value is read once, as the mapping reads it (`mdm.entities.values`): codes translated, dates and numbers
made plain, texts for lists parted. Texts, names and identifiers are left to the compare forms, which drop the same
placeholders.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from matching.records import Column, Records, column_from_arrow, column_from_lists, column_without_values
from mdm.entities.columns import columns_by_attribute, record_column
from mdm.entities.mapping import map_record, match_row
from mdm.entities.model import Attribute, EntityType, Origin
from mdm.entities.values import Unreadable, read, single_values
from mdm.errors import InputInvalid
from mdm.sources.vendors import id_column

_AS_DELIVERED: Final = frozenset(
    {"text", "company_name", "person_name", "tax_id", "identifier", "phone", "email", "url"}
)


@dataclass(frozen=True, slots=True, eq=False)
class FileRecords:
    """Records of files, and what their rows were called there.

    ids      the rows' own ids, their numbers from 1 where the files have none
    names    what the first feature of the match model reads, to recognise a row by
    columns  attribute → columns that fill it
    """

    records: Records
    ids: tuple[str, ...]
    names: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]


def records_of(
    table: pa.Table, entity_type: EntityType, column_map: Mapping[str, str], parents: Mapping[str, str] | None = None
) -> FileRecords:
    """Map the columns of a table to records; column_map may name id and source columns too.

    parents  key of a parent, `source/id` or `id` → its cluster: the context of records matched within it
    raises   InputInvalid for an id that comes twice in one source
    """
    own = own_columns(table.column_names, entity_type, column_map)
    ids = _texts(table, own.get("id")) or tuple(map(str, range(1, table.num_rows + 1)))
    sources = _texts(table, own.get("source")) or ("",) * table.num_rows
    keys = tuple(f"{source}/{id_}" if source else id_ for source, id_ in zip(sources, ids, strict=True))
    _require_distinct(keys)
    free = [name for name in table.column_names if name not in own.values()]
    columns = columns_by_attribute(entity_type, free, column_map)
    wanted = list(
        dict.fromkeys(
            path for feature in entity_type.model.features for path in (*feature.attributes, *feature.country_from)
        )
    )
    attributes = {path: _attribute(entity_type, path, table, columns, sources) for path in wanted}
    attributes = {path: column for path, column in attributes.items() if len(column.values)}
    contexts = _contexts(entity_type, table, columns, sources, parents)
    shown = next((attributes[path] for path in wanted if path in attributes), None)
    names = _first_texts(shown) if shown else ("",) * table.num_rows
    return FileRecords(Records(keys, sources, attributes, contexts), ids, names, columns)


def column_text(column: Column, record: int) -> str:
    """Return the first value of a record, "" where it has none."""
    start, end = column.offsets[record], column.offsets[record + 1]
    return column.values[column.codes[start]] if end > start else ""


def _first_texts(column: Column) -> tuple[str, ...]:
    values = (*column.values, "")  # the last stands for code -1
    return tuple(values[code] for code in column.first_codes().tolist())


def own_columns(columns: Sequence[str], entity_type: EntityType, column_map: Mapping[str, str]) -> dict[str, str]:
    """Find the columns of id and source: by hand, else by name; raises InputInvalid for a mapped one that is absent."""
    for column in column_map:
        if column not in columns:
            raise InputInvalid(
                f"there is no column {column!r}; the columns are {', '.join(columns)}",
                remedy="write the column of --map as the file has it",
                field=column,
            )
    own = {part: column for column, part in column_map.items() if part in {"id", "source"}}
    free = [column for column in columns if column not in column_map]
    for column in free:
        if record_column(column) == "source":
            own.setdefault("source", column)
    named = id_column(free, system="", entity_type=entity_type.name)
    if named is not None:
        own.setdefault("id", named)
    return own


def text_columns(columns: Sequence[str], entity_type: EntityType, column_map: Mapping[str, str]) -> frozenset[str]:
    """Find the columns that fill attributes for which true and false are no value."""
    filled = columns_by_attribute(entity_type, columns, column_map)
    attributes = {name: entity_type.attributes[name] for name in filled}
    return frozenset(
        column
        for name, attribute in attributes.items()
        if attribute.semantic_type not in {"boolean", "element"} and attribute.code_list not in entity_type.code_lists
        for column in filled[name]
    )


def _texts(table: pa.Table, column: str | None) -> tuple[str, ...]:
    if column is None:
        return ()
    if pa.types.is_list(table[column].type):
        return tuple(texts[0] if texts else "" for texts in table[column].to_pylist())
    return tuple(pc.fill_null(table[column].cast(pa.string()), "").to_pylist())


def _require_distinct(keys: Sequence[str]) -> None:
    if len(set(keys)) == len(keys):
        return
    seen: set[str] = set()
    for key in keys:
        if key in seen:
            raise InputInvalid(
                f"the id {key!r} comes twice",
                remedy="map a column whose values differ, --map COLUMN=id; --map id= numbers the rows",
                field="id",
            )
        seen.add(key)


def _attribute(
    entity_type: EntityType,
    path: str,
    table: pa.Table,
    columns: Mapping[str, tuple[str, ...]],
    sources: Sequence[str],
) -> Column:
    """Read what the match model reads of one attribute; where a record has none, of the parts that make it up."""
    attribute = entity_type.attributes[path.partition(".")[0]]
    parts = [_read_column(entity_type, path, table[column], sources) for column in columns.get(attribute.name, ())]
    found = _side_by_side(parts) if parts else column_without_values(table.num_rows)
    found = found if attribute.is_list else _first_only(found)
    made_of = [
        _attribute(entity_type, part, table, columns, sources) for part in attribute.composed_of if part in columns
    ]
    return _composed(found, made_of) if made_of else found


def _composed(found: Column, made_of: Sequence[Column]) -> Column:
    joined = (" ".join(filter(None, (column_text(part, record) for part in made_of))) for record in range(len(found)))
    return column_from_lists([found.of(record) or (text,) for record, text in enumerate(joined)])


def _read_column(entity_type: EntityType, path: str, array: pa.ChunkedArray, sources: Sequence[str]) -> Column:
    """Code one column and read each distinct value once; code lists may read a word by its source."""
    attribute = entity_type.attributes[path.partition(".")[0]]
    column = column_from_arrow(array)
    if attribute.semantic_type == "element":
        return _replaced(column, [_elements(entity_type, attribute.name, path, value) for value in column.values])
    if attribute.semantic_type in _AS_DELIVERED:
        if not attribute.is_list:
            return column
        parted = {
            code: [part.strip() for part in single_values(attribute, value)]
            for code, value in enumerate(column.values)
            if ";" in value or "|" in value or value[0].isspace() or value[-1].isspace()
        }
        if not parted:
            return column
        return _replaced(column, [parted.get(code) or [value] for code, value in enumerate(column.values)])
    code_list = entity_type.code_lists.get(attribute.code_list or "")
    if code_list is None or not code_list.by_source:
        return _replaced(column, [_read(entity_type, attribute, value, "") for value in column.values])
    names, source_codes = np.unique(np.array(sources, dtype=object).astype(str), return_inverse=True)
    pairs, codes = np.unique(
        source_codes[column.owners].astype(np.int64) * len(column.values) + column.codes, return_inverse=True
    )
    words = tuple((str(names[pair // len(column.values)]), column.values[pair % len(column.values)]) for pair in pairs)
    by_pair = Column(column.offsets, codes.astype(np.int32), tuple(map("\0".join, words)))
    return _replaced(by_pair, [_read(entity_type, attribute, value, source) for source, value in words])


def _read(entity_type: EntityType, attribute: Attribute, value: str, source: str) -> list[str]:
    code_list = entity_type.code_lists.get(attribute.code_list or "")
    found = []
    for part in single_values(attribute, value):
        try:
            text = read(attribute, part, code_list=code_list, origin=Origin(source))
        except Unreadable:
            text = None  # the mapping keeps it undeclared, so that matching does not see it
        if text:
            found.append(text)
    return found


def _elements(entity_type: EntityType, name: str, path: str, value: str) -> list[str]:
    """Read structures, which stand in a flat table as JSON."""
    try:
        delivered = orjson.loads(value)
    except orjson.JSONDecodeError:
        return []
    return match_row(entity_type, map_record(entity_type, {name: delivered}).values).get(path, [])


def _replaced(column: Column, readings: Sequence[Sequence[str]]) -> Column:
    """Put the readings of each distinct value in its place: none, one or several."""
    code_by_value: dict[str, int] = {}
    flat = np.array(
        [code_by_value.setdefault(text, len(code_by_value)) for texts in readings for text in texts if text],
        dtype=np.int32,
    )
    lengths = np.array([sum(map(bool, texts)) for texts in readings], dtype=np.int64)
    starts = np.concatenate(([0], np.cumsum(lengths)))[:-1]
    counts = lengths[column.codes]
    within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    owners = np.repeat(column.owners, counts)
    return Column(
        _offsets(owners, len(column)), flat[np.repeat(starts[column.codes], counts) + within], tuple(code_by_value)
    )


def _side_by_side(parts: Sequence[Column]) -> Column:
    """Join the values that several columns give to one attribute, the preferred column's first, each value once."""
    if len(parts) == 1:
        return parts[0]
    code_by_value: dict[str, int] = {}
    renumbered = [
        np.array([code_by_value.setdefault(value, len(code_by_value)) for value in part.values], dtype=np.int32)
        for part in parts
    ]
    owners = np.concatenate([part.owners for part in parts])
    codes = np.concatenate([numbers[part.codes] for numbers, part in zip(renumbered, parts, strict=True)])
    order = np.argsort(owners, kind="stable")
    owners, codes = owners[order], codes[order]
    _, first = np.unique(owners.astype(np.int64) * max(1, len(code_by_value)) + codes, return_index=True)
    first.sort()
    return Column(_offsets(owners[first], len(parts[0])), codes[first], tuple(code_by_value))


def _first_only(column: Column) -> Column:
    if column.is_single:
        return column
    held = column.counts > 0
    return Column(_offsets(np.flatnonzero(held), len(column)), column.first_codes()[held], column.values)


def _offsets(owners: NDArray[np.integer], records_count: int) -> NDArray[np.int64]:
    return np.concatenate(([0], np.cumsum(np.bincount(owners, minlength=records_count)))).astype(np.int64)


def _contexts(
    entity_type: EntityType,
    table: pa.Table,
    columns: Mapping[str, tuple[str, ...]],
    sources: Sequence[str],
    parents: Mapping[str, str] | None,
) -> tuple[str, ...] | None:
    """Name the parent of each record: its cluster where those are known, else what the file calls it."""
    if entity_type.within is None or entity_type.within not in columns:
        return None
    named = _texts(table, columns[entity_type.within][0])
    if parents is None:
        return named
    keyed = (parents.get(f"{source}/{id_}", "") for source, id_ in zip(sources, named, strict=True))
    return tuple(cluster or parents.get(id_, "") for cluster, id_ in zip(keyed, named, strict=True))
