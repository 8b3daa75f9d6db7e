"""Write the reference pages that are made from the code, or with `--check` name those that no longer say what it says.

A page whose room is not there yet is left out. Everything else in `docs/` is written by hand.
"""

import json
import sys
from collections.abc import Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from mdm import errors, gauges, telemetry  # noqa: F401 -- gauges register themselves with the metrics
from mdm.entities.automatic_defaults import DEFAULTS, PAIRED_KEYS, Default
from mdm.settings import Settings, variables

REFERENCE: Final = Path(__file__).parent / "reference"
_MADE: Final = "<!-- Made from the code by `make docs`; change the code instead. -->"


def pages() -> Iterator[tuple[str, str]]:
    """Yield the file name and text of each page."""
    makers: dict[str, Callable[[], str]] = {
        "settings.md": _settings,
        "errors.md": _errors,
        "metrics.md": _metrics,
        "matching-defaults.md": _matching_defaults,
        "cli.md": lambda: _page_of("mdm.cli.main", _commands),
        "http.md": lambda: _page_of("api.app", _routes),
        "asyncapi.json": lambda: _page_of("api.asyncapi", _messages),
    }
    for name, make in makers.items():
        if text := make():
            yield name, f"{_MADE}\n\n{text}" if name.endswith(".md") else text


def stale(folder: Path) -> list[str]:
    """Name the pages in `folder` that differ from what the code says now."""
    found = {page.name: page.read_text(encoding="utf-8") for page in folder.iterdir()}
    return sorted(name for name, text in pages() if found.get(name) != text)


def _page_of(module: str, describe: Callable[[Any], str]) -> str:
    """Describe a module, or return "" while its room is not built."""
    try:
        there = find_spec(module) is not None
    except ModuleNotFoundError:
        there = False
    return describe(import_module(module)) if there else ""


def _settings() -> str:
    rows = [
        f"| `{variable}` | {_default_of(field.get_default(call_default_factory=True))} | {_cell(field.description)} |"
        for variable, field in zip(variables(), Settings.model_fields.values(), strict=True)
    ]
    return _table("Settings", "Read from the environment once, when a process starts.", "variable | default |", rows)


def _default_of(value: object) -> str:
    return "" if value in (None, "", ()) else f"`{value}`"


def _cell(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")


def _errors() -> str:
    rows = [
        f"| `{error.code}` | `{error.__name__}` | {_first_line(error)} |" for error in _error_classes(errors.HubError)
    ]
    promise = "A code never changes its meaning; the API gives it as `code` in problem+json, the CLI with `--json`."
    return _table("Error codes", promise, "code | class |", rows)


def _error_classes(root: type[errors.HubError]) -> Iterator[type[errors.HubError]]:
    yield root
    for error in root.__subclasses__():
        if error.__module__.startswith(errors.__name__):
            yield from _error_classes(error)


def _metrics() -> str:
    families = [family for family in telemetry.REGISTRY.collect() if family.name.startswith("mdm_")]
    rows = [f"| `{family.name}` | {family.type} | {family.documentation} |" for family in families]
    return _table("Metrics", "Served at `/metrics` in the text format of Prometheus.", "metric | kind |", rows)


def _matching_defaults() -> str:
    """Describe what an entity type without a matching section gets for each kind of value."""
    remark = (
        "What an entity type gets that declares no `matching:`, or only parts of one. `mdm schema --entity NAME "
        "--matching` prints the whole section to copy; [Add an entity type](../guides/entity-types.md) tells how to "
        "lay parts over it."
    )
    rows = [
        f"| `{each.kind}` | {_cell(each.meaning)} | `{each.form}` | {_compared(each)} | {_keys(each)} |"
        for each in DEFAULTS.values()
    ]
    table = _table(
        "Matching by semantic types", remark, "kind | values | form | compared, with bits | blocking keys", rows
    )
    pairs = [
        f"| `{pair.first}` {_transform(pair.first_transform)} | `{pair.second}` {_transform(pair.second_transform)} |"
        for pair in PAIRED_KEYS
    ]
    return f"{table}\n" + "\n".join(
        ["Besides, two kinds together make a key:\n", "| first | second |", "| --- | --- |", *pairs, ""]
    )


def _compared(default: Default) -> str:
    levels = ", ".join(f"{label} {bits:g}" for label, _, bits in default.levels)
    marks = {
        "common values count less": default.term_frequency,
        "an equal one is at least a possible match": default.is_strong,
        "different ones are a veto": default.is_veto,
    }
    return "; ".join([f"`{default.comparator}`: {levels}", *(text for text, holds in marks.items() if holds)])


def _keys(default: Default) -> str:
    plain = [_transform(transform) for transform in default.keys]
    return ", ".join([*plain, *(f"{_transform(each)} within a parent" for each in default.keys_within)])


def _transform(name: str) -> str:
    return name or "whole"


def _commands(module: Any) -> str:
    """Describe each command of the Typer app with its parameters, groups before their members."""
    typer_main = import_module("typer.main")
    codes = [f"| {code:d} | {_cell(meaning)} |" for code, meaning in import_module("mdm.cli.exits").EXIT_CODES.items()]
    remark = "Answers go to stdout, progress and errors to stderr. `--json` gives one JSON document, or one a line."
    parts = [_table("Commands", remark, "exit code |", codes)]
    for name, command in _walk(typer_main.get_command(module.app), "mdm"):
        parts.append(f"## {name}\n")
        parts.append(f"{(command.help or '').strip()}\n")
        rows = [f"| {_spelling(each)} | {_cell(getattr(each, 'help', None))} |" for each in command.params]
        if rows:
            parts.append("\n".join(["| option | |", "| --- | --- |", *rows]) + "\n")
    return "\n".join(parts)


def _walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    yield name, command
    for member in sorted(getattr(command, "commands", {})):
        yield from _walk(command.commands[member], f"{name} {member}")


def _spelling(parameter: Any) -> str:
    written = [*parameter.opts, *parameter.secondary_opts]
    return ", ".join(f"`{each if each.startswith('-') else each.upper()}`" for each in written)


def _routes(module: Any) -> str:
    """List each route of the API with the first sentence about it."""
    described = module.create_app().openapi()
    rows = [
        f"| `{method.upper()} {path}` | {_cell(_sentence_of(operation))} |"
        for path, methods in sorted(described["paths"].items())
        for method, operation in methods.items()
    ]
    return _table("Routes", "`/openapi.json` says the same with every field.", "route |", rows)


def _messages(module: Any) -> str:
    """Write the AsyncAPI document; the version of the release is left out, so that a release changes no page."""
    described = module.document()
    described["info"]["version"] = "1"
    return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


def _sentence_of(operation: dict[str, Any]) -> str:
    return str(operation.get("description") or operation.get("summary") or "").split("\n\n", 1)[0]


def _table(title: str, remark: str, heads: str, rows: list[str]) -> str:
    line = f"| {heads} |"
    return "\n".join(
        [f"# {title}\n", f"{remark}\n", line, "| " + " | ".join(["---"] * (line.count("|") - 1)) + " |", *rows, ""]
    )


def _first_line(documented: type) -> str:
    return (documented.__doc__ or "").strip().splitlines()[0]


def main() -> int:
    """Write the pages, or check them; returns the exit code."""
    if "--check" in sys.argv[1:]:
        for name in stale(REFERENCE):
            print(f"docs/reference/{name} is out of date; run `make docs`")
        return int(bool(stale(REFERENCE)))
    REFERENCE.mkdir(exist_ok=True)
    for name, text in pages():
        (REFERENCE / name).write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
