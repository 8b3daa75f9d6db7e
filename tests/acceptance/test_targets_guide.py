"""The commands of the guide on targets, as they stand there, on the files of the first ten minutes."""

import re
import shlex
import shutil
from pathlib import Path

import pytest

from mdm.delivery.declaration import read_declaration
from mdm.entities.service import entity_types
from tests.acceptance.test_first_ten_minutes import ROOT, Terminal, terminal

pytestmark = [pytest.mark.db, pytest.mark.oldest]
__all__ = ["terminal"]

GUIDE = (ROOT / "docs" / "guides" / "targets.md").read_text(encoding="utf-8")
SHOWN = re.findall(r"```yaml\n(.*?)```", GUIDE, flags=re.DOTALL)
FILES = ("crm_clients.csv", "crm-ours", "customer"), ("erp_projects.jsonl", "erp-ours", "project")


def test_the_files_of_the_guide_are_the_examples() -> None:
    examples = [ROOT / "examples" / "targets" / name for name in ("books.yaml", "news.yaml")]
    files = [block for block in SHOWN if block.startswith("target:")]
    assert files == [example.read_text(encoding="utf-8") for example in examples]


@pytest.mark.parametrize("part", [block for block in SHOWN if not block.startswith("target:")])
def test_its_parts_of_a_declaration_are_taken(part: str, tmp_path: Path) -> None:
    books = (ROOT / "examples" / "targets" / "books.yaml").read_text(encoding="utf-8")
    keys = [line.partition(":")[0] for line in part.splitlines()]
    kept = [line for line in books.splitlines() if line.partition(":")[0] not in keys]
    place = kept.index("  customer:") + 1 if part.startswith("    ") else len(kept)
    file = tmp_path / "books.yaml"
    file.write_text("\n".join([*kept[:place], *part.splitlines(), *kept[place:]]) + "\n", encoding="utf-8")
    read_declaration(file, entity_types())


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
