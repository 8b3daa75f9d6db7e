"""A document against the shape it should have, in words that say what to write instead."""

import difflib
import re
from collections.abc import Iterable
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from mdm.entities.document import Document, Fault, Place
from mdm.entities.patterns import REMEDY_BY_PATTERN

Shape = TypeVar("Shape", bound=BaseModel)

_NAMES_SHOWN_MAX = 12
_REMEDY_BY_ERROR = {
    "string_type": "write a text, in quotes if it looks like a number",
    "bool_type": "write true or false",
    "int_type": "write a whole number",
    "float_type": "write a number",
    "list_type": "write a list: [one, two]",
    "dict_type": "write keys and values below it",
    "model_type": "write keys and values below it",
    "too_short": "add at least one more entry",
}


def check_shape(document: Document, shape: type[Shape]) -> tuple[Shape | None, list[Fault]]:
    """Read a document as a shape, or give every fault of it."""
    try:
        return shape.model_validate(document.content), []
    except ValidationError as error:
        return None, [_shape_fault(document, shape, detail) for detail in error.errors(include_url=False)]


def dig(content: Any, place: Place) -> Any:
    """Find what stands at a place, None where nothing does."""
    for step in place:
        if isinstance(content, dict):
            content = content.get(step)
        elif isinstance(content, list) and isinstance(step, int) and step < len(content):
            content = content[step]
        else:
            return None
    return content


def suggest(word: str, known: Iterable[str], *, otherwise: str) -> str:
    """Say which known word was probably meant, else what to do, with the known words."""
    names = sorted(set(known))
    near = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if near:
        return f"write {near[0]}"
    if not names:
        return otherwise
    shown = ", ".join(names[:_NAMES_SHOWN_MAX]) + (", …" if len(names) > _NAMES_SHOWN_MAX else "")
    return f"{otherwise}; known: {shown}"


def plain_type(annotation: Any) -> Any:
    """Take off Annotated and Optional."""
    while True:
        origin = get_origin(annotation)
        if origin is Annotated:
            annotation = get_args(annotation)[0]
        elif origin in (Union, UnionType):
            annotation = next(part for part in get_args(annotation) if part is not type(None))
        else:
            return annotation


def _shape_fault(document: Document, shape: type[BaseModel], detail: ErrorDetails) -> Fault:
    place = tuple(step for step in detail["loc"] if step != "[key]")
    word = place[-1] if place else ""
    given = detail["input"]
    match detail["type"]:
        case "missing":
            return document.fault(place, "is missing", f"add `{word}:`")
        case "extra_forbidden":
            known = _keys(_at(shape, place[:-1]))
            return document.fault(place, f"{word} is not a key here", suggest(str(word), known, otherwise="remove it"))
        case "literal_error":
            expected = re.findall(r"'([^']*)'", str(detail.get("ctx", {}).get("expected", "")))
            return document.fault(
                place, f"{given!r} is not known here", suggest(str(given), expected, otherwise="choose another")
            )
        # What was found by a check of a shape's own, which says what to write instead; a secret is not shown.
        case _ if "remedy" in (own := detail.get("ctx", {})):
            return document.fault(place, detail["msg"], str(own["remedy"]))
        case kind:
            shown = "" if isinstance(given, dict | list) else f" (here: {str(given)[:80]!r})"
            problem = detail["msg"].replace("Input should", "should").replace("String should", "should") + shown
            remedy = REMEDY_BY_PATTERN.get(str(own.get("pattern"))) or _REMEDY_BY_ERROR.get(kind)
            return document.fault(place, problem, remedy or "see the JSON Schema that `mdm schema` prints")


def _at(annotation: Any, place: Place) -> Any:
    """Find the type that a shape expects at a place."""
    for step in place:
        annotation = plain_type(annotation)
        origin = get_origin(annotation)
        if origin is dict:
            annotation = get_args(annotation)[1]
        elif origin is list:
            annotation = get_args(annotation)[0]
        elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
            found = [field for name, field in annotation.model_fields.items() if step in (name, field.alias)]
            annotation = found[0].annotation if found else None
    return plain_type(annotation)


def _keys(annotation: Any) -> list[str]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [field.alias or name for name, field in annotation.model_fields.items()]
    return []
