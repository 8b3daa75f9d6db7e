"""What can be read of a document with faults, so that one bad key neither hides nor makes another fault."""

from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from mdm.entities.document import Place
from mdm.entities.shape import plain_type

Shape = TypeVar("Shape", bound=BaseModel)


def legible(shape: type[Shape], content: Any) -> Shape:
    """Read of a content whatever has the right shape.

    Every key is there. One that is missing although it is needed, or has a fault, is unread: it holds None, or an
    empty list or mapping, or a part of which every key is unread. Entries of a list keep their places: one with a
    fault is None, or such a part; and the values of a mapping likewise.
    """
    try:
        shape.model_validate(content)
        faulty = dict[Place, str]()
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False, include_context=False)
        faulty = {detail["loc"]: detail["type"] for detail in details}
    return _part(shape, content, (), faulty)


def is_unread(part: BaseModel, name: str) -> bool:
    """Tell whether a key of a legible part was missing although it is needed, or had a fault."""
    return name not in part.model_fields_set


def _part(shape: type[Shape], written: Any, place: Place, faulty: dict[Place, str]) -> Shape:
    content = written if isinstance(written, dict) else {}
    values, read = dict[str, Any](), set[str]()
    for name, field in shape.model_fields.items():
        key = field.alias or name
        inner = (*place, key)
        is_open = content is not written or (key not in content and field.is_required())
        # The entries of a list that is too short are good ones.
        if is_open or faulty.get(inner, "too_short") != "too_short":
            values[key] = _nothing(field.annotation)
            continue
        read.add(name)
        if key in content:
            values[key] = content[key] if content[key] is None else _read(field.annotation, content[key], inner, faulty)
    return shape.model_construct(_fields_set=read, **values)


def _read(annotation: Any, written: Any, place: Place, faulty: dict[Place, str]) -> Any:
    kind = plain_type(annotation)
    match get_origin(kind):
        case origin if origin is list and isinstance(written, list):
            inner = get_args(kind)[0]
            return [_read(inner, each, (*place, index), faulty) for index, each in enumerate(written)]
        case origin if origin is dict and isinstance(written, dict):
            inner = get_args(kind)[1]
            return {key: _read(inner, each, (*place, key), faulty) for key, each in written.items()}
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return _part(kind, written, place, faulty)
    return None if place in faulty else written


def _nothing(annotation: Any) -> Any:
    """Give what stands for a value that was not read."""
    kind = plain_type(annotation)
    if (origin := get_origin(kind)) in (list, dict):
        return origin()
    # A part that may be left out is None by itself.
    is_part = kind is annotation and isinstance(kind, type) and issubclass(kind, BaseModel)
    return _part(kind, None, (), {}) if is_part else None
