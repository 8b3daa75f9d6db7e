"""Run a command of the hub inside the test process and read the JSON that it prints."""

import json
from typing import Any

from typer import Typer
from typer.testing import CliRunner


def run_json(app: Typer, *arguments: str) -> dict[str, Any]:
    """Run a command with --json; asserts that it succeeds and returns its one document."""
    done = CliRunner().invoke(app, [*arguments, "--json"])
    assert done.exit_code == 0, done.stderr
    document: dict[str, Any] = json.loads(done.stdout)
    return document
