"""YAML documents as plain values that remember where each key stood.

Declarations are written by people and may come from outside, so the file is bounded in size and depth, and anchors,
aliases, tags and duplicate keys are refused: an alias can make a small file endless, and of two equal keys one
would be silently lost. Words such as `no` stay words (YAML 1.2).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Place: TypeAlias = tuple[str | int, ...]

BYTES_MAX = 512 * 1024
"""Chosen: about ten times the largest built-in declaration."""
DEPTH_MAX = 16
"""Chosen: a declaration needs seven levels."""

_TAG = "tag:yaml.org,2002:"
_TAGS = frozenset(_TAG + kind for kind in ("map", "seq", "str", "int", "float", "bool", "null", "timestamp"))
"""What plain and quoted values resolve to by themselves."""
_INTEGER_DIGITS_MAX = 18


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a declaration: where (line 0 is the file as a whole), what is wrong, what to write instead."""

    file: str
    line: int
    place: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        """Print as a compiler does, so that editors find the line."""
        place = f"{self.place}: " if self.place else ""
        file = f"{self.file}:{self.line}" if self.line else self.file
        return f"{file}: {place}{self.problem}; {self.remedy}"


@dataclass(frozen=True, slots=True)
class Document:
    """Hold the plain values of a file and the line of each place (1 = first)."""

    file: str
    content: dict[str, Any]
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """Find the line of a place, or of the nearest place around it that was written."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)

    def fault(self, place: Place, problem: str, remedy: str) -> Fault:
        """Name a fault at a place of this file."""
        return Fault(self.file, self.line(place), ".".join(str(step) for step in place), problem, remedy)


def read_text(path: Path) -> tuple[str | None, tuple[Fault, ...]]:
    """Read a file of bounded size as UTF-8; without a text where that cannot be done."""
    try:
        content = path.read_bytes()
    except OSError as error:
        return None, _whole(str(path), f"cannot be read ({error.strerror})", "check the path and its permissions")
    if len(content) > BYTES_MAX:
        return None, _whole(str(path), f"has {len(content)} bytes", f"keep a declaration below {BYTES_MAX} bytes")
    try:
        return content.decode("utf-8-sig"), ()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, _whole(str(path), "is not UTF-8 text", "save the file as UTF-8", line)


def read_document(path: Path) -> tuple[Document | None, tuple[Fault, ...]]:
    """Read a YAML file; without a document where the file as a whole cannot be used."""
    text, faults = read_text(path)
    return parse_document(text, str(path)) if text is not None else (None, faults)


@lru_cache(maxsize=64)
def parse_document(text: str, file: str) -> tuple[Document | None, tuple[Fault, ...]]:
    """Parse YAML text; see the module for what is refused. The same text is parsed once."""
    try:
        root = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        problem = f"is not YAML: {error.problem or error.context}"
        return None, _whole(file, problem, "mend the syntax at or above this line", line)
    except RecursionError:
        return None, _whole(file, f"is nested deeper than {DEPTH_MAX} levels", "write a flatter file")
    except (YAMLError, ValueError) as error:
        problem = f"is not YAML: {str(error).splitlines()[0]}"
        return None, _whole(file, problem, "remove characters that are not printable text")
    if not isinstance(root, MappingNode):
        return None, _whole(file, "does not hold keys and values", "begin with `entity: name` or `code_list: name`")
    reading = _Reading(file)
    content = reading.plain(root, ())
    return Document(file, content if isinstance(content, dict) else {}, reading.lines), tuple(reading.faults)


def _whole(file: str, problem: str, remedy: str, line: int = 1) -> tuple[Fault, ...]:
    """Give the one fault of a file that cannot be used at all."""
    return (Fault(file, line, "", problem, remedy),)


class _Reading:
    """Turn nodes into plain values, noting the line of each place and every refused construct."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.lines: dict[Place, int] = {(): 1}
        self.faults: list[Fault] = []
        self.anchored: set[int] = set()  # nodes; an alias stands for the node that it names

    def plain(self, node: Node, place: Place) -> Any:
        """Give the plain value of a node. What bears an anchor is not read, so no alias can repeat it."""
        if getattr(node, "anchor", None) is not None:
            is_alias = id(node) in self.anchored
            self.anchored.add(id(node))
            problem = f"uses the alias *{node.anchor}" if is_alias else f"sets the anchor &{node.anchor}"
            # An alias has no line of its own: that of its key, or of the list that it stands in.
            line = self.lines[place[:-1] if is_alias and isinstance(place[-1], int) else place]
            where = ".".join(map(str, place))
            remedy = "write values out; declarations have no aliases"
            self.faults.append(Fault(self.file, line, where, problem, remedy))
            return None
        if node.tag not in _TAGS:
            self._fault(node, place, f"uses the tag {node.tag}", "remove it; quote the value if it is a text")
            return None
        if len(place) > DEPTH_MAX:
            self._fault(node, place[:1], f"is nested deeper than {DEPTH_MAX} levels", "write a flatter file")
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, place)
        if isinstance(node, SequenceNode):
            return [self._entry(child, (*place, index)) for index, child in enumerate(node.value)]
        return _scalar(node)

    def _entry(self, node: Node, place: Place) -> Any:
        self.lines[place] = node.start_mark.line + 1
        return self.plain(node, place)

    def _mapping(self, node: MappingNode, place: Place) -> dict[str, Any]:
        content: dict[str, Any] = {}
        for key_node, child in node.value:
            if not isinstance(key_node, ScalarNode):
                self._fault(key_node, place, "has a key that is no text", "write a plain word as key")
                continue
            key = str(key_node.value)
            inner = (*place, key)
            if key in content:
                problem = f"the key {key} stands here a second time (first in line {self.lines[inner]})"
                self._fault(key_node, inner, problem, "keep one of the two")
                continue
            self.lines[inner] = key_node.start_mark.line + 1
            content[key] = self.plain(child, inner)
        return content

    def _fault(self, node: Node, place: Place, problem: str, remedy: str) -> None:
        where = ".".join(str(step) for step in place)
        self.faults.append(Fault(self.file, node.start_mark.line + 1, where, problem, remedy))


def _scalar(node: Node) -> Any:
    """Read integers, decimals, booleans and null; everything else, dates included, stays text."""
    kind, text = str(node.tag).removeprefix(_TAG), str(node.value)
    if kind == "null":
        return None
    if kind == "bool":
        return text.lower() == "true"
    try:
        if kind == "int" and len(text) <= _INTEGER_DIGITS_MAX:
            return int(text)
        if kind == "float":
            return float(text)
    except ValueError:
        return text
    return text
