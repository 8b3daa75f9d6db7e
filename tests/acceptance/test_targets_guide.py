"""The commands of the guide on targets, as they stand there, on the files of the first ten minutes."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from tests.acceptance.test_first_ten_minutes import ROOT, Terminal, terminal

pytestmark = [pytest.mark.db, pytest.mark.oldest]
__all__ = ["terminal"]

GUIDE = (ROOT / "docs" / "guides" / "targets.md").read_text(encoding="utf-8")
FILES = ("crm_clients.csv", "crm-ours", "customer"), ("erp_projects.jsonl", "erp-ours", "project")


def test_the_files_of_the_guide_are_the_examples() -> None:
    shown = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)

    examples = [ROOT / "examples" / "targets" / name for name in ("books.yaml", "news.yaml")]
    assert shown == [example.read_text(encoding="utf-8") for example in examples]


def test_its_commands_run_as_they_stand_there(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "examples", terminal.folder / "examples")
    monkeypatch.chdir(terminal.folder)
    for file, source, entity in FILES:
        origin = ("--source", source, "--entity", entity, "--create-source", source)
        terminal.run("load", Path("examples/first-files") / file, *origin)
    commands = [shlex.split(line)[1:] for line in GUIDE.splitlines() if line.startswith("    mdm ")]

    said = {" ".join(command[:3]): terminal.run(*command) for command in commands}

    assert len(commands) >= 12
    assert (
        "Nothing is written until its records of customer, project are matched"
        in said["targets apply examples/targets/books.yaml"]
    )
    assert "Books" in said["targets show books"]
    assert "no deliveries" in said["deliveries history --target"]
    assert "news is running" in said["targets resume news"]
