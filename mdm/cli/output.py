"""What a command prints: tables for people or JSON for programs on stdout, everything else on stderr.

A value comes from other people's systems, so characters that would steer a terminal are shown as a replacement sign.
"""

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, is_dataclass
from datetime import date, datetime
from typing import Any, Final

from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from mdm.errors import DecisionContradicts, HubError

_PIPE_WIDTH: Final = 400  # chosen: no line of a table breaks when it goes to a file or a program


def as_json(document: Any) -> str:
    """Write a document as one line of JSON: dataclasses as objects, instants in ISO 8601, ids as text."""
    return json.dumps(document, ensure_ascii=False, default=_plain)


def print_json(document: Any) -> None:
    """Print one JSON document."""
    sys.stdout.write(as_json(document) + "\n")


def print_lines(documents: Iterable[Any]) -> None:
    """Print JSONL: one document a line."""
    for document in documents:
        print_json(document)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Print rows under their column names."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))
    _console(is_error=False).print(table)


def print_list(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, of: str, total: int | None = None) -> None:
    """Print one line an entry, cut to the terminal's width but for its id; say when there is none, or when more wait.

    of     what is listed, in the plural
    total  how many there are, when the rows may be only the first of them
    """
    if not rows:
        print_text(f"no {of}")
        return
    _console(is_error=False).print(_cut_table(columns, rows))
    if total is not None and total > len(rows):
        tell(f"{len(rows):,} of {total:,} {of}; --limit {total} shows all")


def _cut_table(columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        table.add_column(column, no_wrap=place == 0, overflow="ellipsis")
    for row in rows:
        table.add_row(*(Text(printable(cell).replace("\n", " "), no_wrap=True, overflow="ellipsis") for cell in row))
    return table


def print_facts(facts: Mapping[str, Any]) -> None:
    """Print names and values below each other; what is None is left out."""
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        if value is not None:
            print_text(f"{name:<{width}}  {printable(value)}")


def print_text(text: str) -> None:
    """Print a line on stdout."""
    sys.stdout.write(printable(text) + "\n")


def tell(text: str) -> None:
    """Print a line on stderr, where it does not mix with the answer."""
    sys.stderr.write(printable(text) + "\n")


def tell_error(error: HubError, *, in_json: bool) -> None:
    """Say what happened and what to do, on stderr."""
    if in_json:
        told = {"code": error.code, "message": error.message, "remedy": error.remedy}
        sys.stderr.write(as_json({"error": told}) + "\n")
        return
    message = error.message
    if isinstance(error, DecisionContradicts):
        message = "\n".join([message.partition(": ")[0], *(f"  because {fact}" for fact in error.chain)])
    for line in f"Error: {message}".splitlines():
        tell(line)
    if error.remedy:
        tell(f"What to do: {error.remedy}")


@contextmanager
def progress(what: str) -> Iterator[Progress]:
    """Show a running count on stderr while the block works; nothing when stderr is not a terminal."""
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    console = _console(is_error=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as shown:
        shown.add_task(what)
        yield shown


def printable(value: Any) -> str:
    """Turn a value into text that cannot steer a terminal: a key as it is written, an instant to the minute."""
    text = value if isinstance(value, str) else "" if value is None else _in_words(value)
    return text if text.isprintable() else "".join(c if c.isprintable() or c == "\n" else "�" for c in text)


def _console(*, is_error: bool) -> Console:
    stream = sys.stderr if is_error else sys.stdout
    width = None if stream.isatty() else _PIPE_WIDTH
    return Console(file=stream, width=width, highlight=False, markup=False, soft_wrap=False)


def _in_words(value: Any) -> str:
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return str(value if is_dataclass(value) else _plain(value))


def _plain(value: Any) -> Any:
    """Turn what JSON does not know into what it does."""
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, set | frozenset | tuple):
        return list(value)
    return str(value)
