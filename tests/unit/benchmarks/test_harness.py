"""Each benchmark can be started: it says what it measures and takes, and does nothing until it is told to."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mdm.delivery.connection import connection_of
from mdm.delivery.declaration import declaration_of

SCRIPTS = sorted((Path(__file__).parents[3] / "benchmarks").glob("bench_*.py"))


@pytest.fixture
def as_scripts(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let scripts find what stands beside them, as they do when they are started; nobody else finds it after that."""
    monkeypatch.syspath_prepend(SCRIPTS[0].parent)
    before = frozenset(sys.modules)
    yield
    for name in frozenset(sys.modules) - before:
        if Path(getattr(sys.modules[name], "__file__", None) or "").is_relative_to(SCRIPTS[0].parent):
            del sys.modules[name]


@pytest.mark.usefixtures("as_scripts")
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_benchmark_answers_help_and_does_nothing(
    script: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [script.name, "--help"])
    module = importlib.import_module(script.stem)

    with pytest.raises(SystemExit) as ended:
        module.main()

    assert ended.value.code == 0
    assert (module.__doc__ or "").split()[0] in capsys.readouterr().out


@pytest.mark.usefixtures("as_scripts")
def test_the_target_of_the_delivery_benchmark_can_be_declared() -> None:
    content = importlib.import_module("bench_delivery").CONTENT

    assert connection_of(declaration_of(content)).connector == "nats"
