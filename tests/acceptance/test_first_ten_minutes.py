"""The README's first ten minutes on the demo firm's own exports, by commands alone."""

import json
import logging
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mdm.cli.main import app
from mdm.demo.firm import build_firm, write_files
from mdm.sources.files import read_file

pytestmark = [pytest.mark.db, pytest.mark.oldest]

ROOT = Path(__file__).resolve().parents[2]
CRM, ERP = "salesforce-emea", "d365-emea"


class Terminal:
    """A terminal in the folder of the exports."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.environment = {"MDM_DATABASE_URL": database_url, "MDM_HOME": str(folder / "home")}
        self.folder = folder

    def run(self, *arguments: object, code: int = 0) -> str:
        found = CliRunner().invoke(app, [str(each) for each in arguments], env=self.environment)
        assert found.exit_code == code, found.stderr
        return found.stdout

    def ask(self, *arguments: object) -> object:
        return json.loads(self.run(*arguments, "--json"))


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Iterator[Terminal]:
    handlers = list(logging.getLogger().handlers)
    yield Terminal(database_url, tmp_path)
    logging.getLogger().handlers[:] = handlers


def test_the_commands_of_the_readme_run_as_they_stand_there(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader copies them one by one; what they print must be what the text around them says."""
    shutil.copytree(ROOT / "examples", terminal.folder / "examples")
    monkeypatch.chdir(terminal.folder)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    commands = [shlex.split(line)[1:] for line in readme.splitlines() if line.startswith("    mdm ")]

    said = {" ".join(command[:2]): terminal.run(*command) for command in commands}

    assert len(commands) >= 15
    assert "erp-ours/customer:4711" in said["resolve crm-ours/Account:001A"]
    assert "legal_name" in said["exceptions list"] or "no name" in said["exceptions list"]
    assert said["export crosswalk"].count("erp-ours/customer:") >= 4
    assert "parent_of" in said["decisions list"]
    assert "invariants hold" in said["check"]


def test_the_first_ten_minutes(terminal: Terminal) -> None:
    exports = terminal.folder / "exports"
    write_files(build_firm(scale=0.05), exports)

    # Match a file, without a server and without a database.
    terminal.run("match", exports / f"{CRM}.Account.csv", "-e", "customer", "-o", terminal.folder / "clusters.csv")

    # Load the exports of two systems, clients before projects, and once more: nothing changes.
    for source, objects in ((CRM, {"Account": "customer"}), (ERP, {"customer": "customer", "project": "project"})):
        terminal.run("sources", "add", source)
        for name, entity in objects.items():
            terminal.run("load", exports / f"{source}.{name}.csv", "-s", source, "-e", entity)
    again = terminal.ask("load", exports / f"{CRM}.Account.csv", "-s", CRM, "-e", "customer")
    assert isinstance(again, dict)
    assert again["statuses"].keys() <= {"unchanged", "rejected"}

    # Export the crosswalk, and resolve each key of it.
    terminal.run("export", "crosswalk", "--from", CRM, "--to", ERP, "-o", terminal.folder / "crosswalk.csv")
    pairs = [row for _, row in read_file(terminal.folder / "crosswalk.csv") if isinstance(row, dict)]
    assert pairs
    resolved = terminal.ask("resolve", pairs[0]["from_key"], "--to", ERP)
    assert isinstance(resolved, dict)
    assert pairs[0]["to_key"] in resolved["keys"]

    # Decide otherwise than the model; the decision holds when the files come again.
    terminal.run("decide", "different", pairs[0]["from_key"], pairs[0]["to_key"], "--reason", "other registration")
    terminal.run("load", exports / f"{ERP}.customer.csv", "-s", ERP, "-e", "customer")
    parted = terminal.ask("resolve", pairs[0]["from_key"], "--to", ERP)
    assert isinstance(parted, dict)
    assert pairs[0]["to_key"] not in parted["keys"]

    # The ids go back to both systems, and every promise holds.
    terminal.run("targets", "add", "file", "back", terminal.folder / "out")
    terminal.run("sync")
    assert len(list((terminal.folder / "out").glob("*.csv"))) == 3
    assert "invariants hold" in terminal.run("check")
