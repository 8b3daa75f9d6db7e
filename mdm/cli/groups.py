"""Groups of commands that are imported and built when somebody asks for them.

Of the more than a hundred commands in groups `mdm --help` names none; to build them all would be half of its time.
"""

from functools import cached_property
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group


def add_group(root: typer.Typer, name: str, module: str, line: str) -> None:
    """Register a group under its name and its line in the help of the root; the module holds it as `app`."""

    class Group(TyperGroup):
        def __init__(self, **known: Any) -> None:
            super().__init__(**known)
            del self.commands  # the empty ones that it was made with, so that those below are looked for

        @cached_property
        def commands(self) -> dict[str, Any]:  # type: ignore[override]  # an attribute there, set by nobody but its own `__init__`
            members = import_module(module).app
            members.rich_markup_mode = root.rich_markup_mode
            return dict(get_group(members).commands)

    root.add_typer(typer.Typer(cls=Group, help=line, no_args_is_help=True), name=name)
