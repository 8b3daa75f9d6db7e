"""The guide of activation does what it says: its commands run in their order, its answers are what they answer."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.conftest import Mdm

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "activation.md"
IDS = {"DEAL": r"dea_[0-9a-z]{26}", "EXCEPTION": r"exc_[0-9a-z]{26}", "RESERVATION": r"rsv_[0-9a-z]{26}"}

FILES = {
    "accounts.csv": "Id,Name,BillingCountry\n7,Kranich Reederei AG,DE\n",
    "projects.csv": "Id,Name\nP7,ERP rollout\n",
    "contracts.csv": "Id,Name\nK7,Acme ERP rollout 2026\n",
}


def told() -> Iterator[tuple[str, list[str]]]:
    """Give each command of the guide with the lines of its answer, as far as the guide shows them."""
    for block in re.findall(r"```console\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL):
        for part in block.split("$ ")[1:]:
            command, *answer = part.rstrip("\n").split("\n")
            yield command, [line for line in answer if line]


@pytest.mark.db
def test_the_commands_of_the_guide_answer_as_it_says(mdm: Mdm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in FILES.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    known: dict[str, str] = {}
    count = 0
    for command, answer in told():
        name, *arguments = shlex.split(command)
        assert name == "mdm"
        result = mdm(*[re.sub(r"[A-Z]{4,}$", lambda id_: known.get(id_[0], id_[0]), one) for one in arguments])
        assert result.exit_code == 0, f"{command}\n{result.output}"
        for variable, pattern in IDS.items():
            if (found := re.search(pattern, result.stdout)) is not None:
                known[variable] = found[0]
        lines = [line.rstrip() for line in result.stdout.splitlines() if line.strip()]
        for expected in answer:
            # An ellipsis stands for an id, an instant or a name.
            pattern = r"\s+".join(re.escape(word).replace("…", ".*") for word in expected.split())
            assert any(re.fullmatch(rf"\s*{pattern}", line) for line in lines), (
                f"{command}\n{expected}\n{result.stdout}"
            )
        count += 1

    assert count == 18
