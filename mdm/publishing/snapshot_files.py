"""The files of a snapshot: which columns a golden record has there, and their rows as Parquet or CSV.

Equal rows give equal bytes. In Parquet a number is a double, a day a date, a list a list; whoever needs every digit of
a number takes CSV, where each value stands as the hub has it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from io import TextIOWrapper
from typing import IO, Any, Final, Literal

import orjson
import pyarrow as pa
from pyarrow import parquet
from sqlalchemy import Row

from mdm.entities.model import Attribute, EntityType
from mdm.publishing.files import write_csv

FileFormat = Literal["parquet", "csv"]
Rows = Sequence[Mapping[str, Any]]

_INSTANT: Final = pa.timestamp("us", tz="UTC")
GOLDEN_COLUMNS: Final[Mapping[str, pa.DataType]] = {
    "golden_id": pa.string(),
    "golden_state": pa.string(),
    "golden_forward_to": pa.string(),
    "golden_version": pa.int32(),
    "golden_since": _INSTANT,
    "golden_completeness": pa.float64(),
}
KEY_COLUMNS: Final[Mapping[str, pa.DataType]] = {
    "instance_id": pa.string(),
    "object": pa.string(),
    "scope": pa.string(),
    "native_id": pa.string(),
    "golden_id": pa.string(),
    "is_live": pa.bool_(),
}
_TYPES: Final = {"number": pa.float64(), "date": pa.date32(), "boolean": pa.bool_()}


def golden_schema(entity_type: EntityType) -> pa.Schema:
    """Name the columns of golden records: ours, which begin with golden_, then one for each attribute."""
    columns = {**GOLDEN_COLUMNS, **{one.name: _type_of(one) for one in entity_type.attributes.values()}}
    return pa.schema(list(columns.items()))


def key_schema() -> pa.Schema:
    """Name the columns of the crosswalk."""
    return pa.schema(list(KEY_COLUMNS.items()))


def golden_row(row: Row[Any]) -> dict[str, Any]:
    """Give a golden record as plain values, as the hub has them; what is not there has no value."""
    return {
        "golden_id": row.id,
        "golden_state": row.state,
        "golden_forward_to": row.forward_to,
        "golden_version": row.version,
        "golden_since": row.recorded_from,
        "golden_completeness": row.completeness,
        **row.shown,
    }


def key_row(row: Row[Any]) -> dict[str, Any]:
    """Give a source key as plain values."""
    return dict(row._mapping)  # noqa: SLF001 -- the public name of SQLAlchemy for a row as a mapping


def writer(file_format: FileFormat, schema: pa.Schema, batches: Iterable[Rows]) -> Callable[[IO[bytes]], int]:
    """Give what writes batches of rows into a stream and returns their number."""
    return (
        (lambda stream: _write_parquet(stream, schema, batches))
        if file_format == "parquet"
        else (lambda stream: _write_csv(stream, schema, batches))
    )


def _write_parquet(stream: IO[bytes], schema: pa.Schema, batches: Iterable[Rows]) -> int:
    """Write each batch as a row group."""
    count = 0
    with parquet.ParquetWriter(stream, schema, compression="zstd") as written:
        for rows in batches:
            columns = [_column(field.type, [row.get(field.name) for row in rows]) for field in schema]
            written.write_batch(pa.record_batch(columns, schema=schema))
            count += len(rows)
    return count


def _write_csv(stream: IO[bytes], schema: pa.Schema, batches: Iterable[Rows]) -> int:
    text = TextIOWrapper(stream, encoding="utf-8", newline="")
    count = write_csv(text, schema.names, _told(batches))
    text.detach()
    return count


def _told(batches: Iterable[Rows]) -> Iterator[dict[str, Any]]:
    for rows in batches:
        for row in rows:
            yield {name: _text(value) for name, value in row.items()}


def _text(value: Any) -> Any:
    """Write what CSV knows no type for; lists and structures stand as JSON in their cell."""
    if value is None or isinstance(value, str | list | dict):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else orjson.dumps(value).decode()


def _type_of(attribute: Attribute) -> pa.DataType:
    single = _TYPES.get(attribute.semantic_type, pa.string())
    return pa.list_(single) if attribute.is_list else single


def _column(column: pa.DataType, values: Sequence[Any]) -> pa.Array:
    """Bring values to their column's type; one of an older declaration that does not fit is left out."""
    read = _reader(column)
    return pa.array([None if value is None else read(value) for value in values], column)


def _reader(column: pa.DataType) -> Callable[[Any], Any]:
    if pa.types.is_list(column):
        single = _reader(column.value_type)
        return lambda value: [single(one) for one in (value if isinstance(value, list) else [value])]
    if column == pa.string():
        return _as_text
    read = _READERS.get(column)
    return (lambda value: _fitting(read, value)) if read else (lambda value: value)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()


def _fitting(read: Callable[[str], Any], value: Any) -> Any:
    if not isinstance(value, str):
        return value if isinstance(value, float | bool) else None
    try:
        return read(value)
    except ValueError:
        return None


_READERS: Final[Mapping[pa.DataType, Callable[[str], Any]]] = {
    pa.float64(): float,
    pa.date32(): date.fromisoformat,
    pa.bool_(): {"true": True, "false": False}.get,
}
