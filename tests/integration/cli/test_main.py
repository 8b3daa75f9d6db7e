"""The root of all commands: help, exit codes, and errors that nobody foresaw."""

import os
import subprocess
import sys
from pathlib import Path

from typer.testing import CliRunner

from mdm.cli.exits import EXIT_CODES, ExitCode
from mdm.cli.main import app

# What `--help` must not pay for: each of these alone costs more than the help itself.
HEAVY = ("numpy", "pyarrow", "sqlalchemy", "pydantic", "ruamel", "rich.console", "fastapi", "networkx")


def test_help_lists_every_command_and_loads_nothing_heavy() -> None:
    script = (
        "import sys; from mdm.cli.main import app; app(['--help'], standalone_mode=False); print(sorted(sys.modules))"
    )

    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    for command in ("demo", "serve", "worker", "load", "match", "evaluate", "resolve", "decide", "exceptions", "check"):
        assert f"  {command} " in found.stdout
    assert [name for name in HEAVY if f"'{name}'" in found.stdout] == []


def test_a_group_is_read_when_somebody_asks_for_it() -> None:
    script = (
        "import sys; from mdm.cli.main import app; app(sys.argv[1:], standalone_mode=False);"
        " print('mdm.cli.review_sheet' in sys.modules)"
    )

    read = [
        subprocess.run([sys.executable, "-c", script, *asked], capture_output=True, text=True, check=True).stdout
        for asked in (("--help",), ("review", "--help"))
    ]

    assert [each.splitlines()[-1] for each in read] == ["False", "True"]
    assert "  sheet " in read[1]


def test_every_exit_code_is_told() -> None:
    assert EXIT_CODES.keys() == set(ExitCode)
    assert "Exit codes: 0 done" in " ".join(CliRunner().invoke(app, ["--help"]).stdout.split())


def test_a_misspelt_command_is_told_the_nearest_one() -> None:
    for asked, nearest in ((["lod"], "load"), (["review", "lst"], "list")):
        found = CliRunner().invoke(app, asked)

        assert (found.exit_code, f"Did you mean '{nearest}'?" in found.stderr) == (2, True)


def test_a_database_out_of_reach_ends_with_three() -> None:
    environment = {"MDM_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}

    found = CliRunner().invoke(app, ["check"], env=environment)

    assert found.exit_code == 3
    assert "What to do: try again; look at the log of PostgreSQL, and where MDM_DATABASE_URL is set" in found.stderr


def test_a_misspelt_setting_is_refused() -> None:
    found = CliRunner().invoke(app, ["check"], env={"MDM_HOMMA": "x"})

    assert (found.exit_code, "the nearest one is MDM_HOME" in found.stderr) == (1, True)


def test_an_error_nobody_foresaw_is_one_line_and_a_traceback_only_for_those_who_ask(
    database_url: str, tmp_path: Path
) -> None:
    (tmp_path / "one.csv").write_text("id,name\n1,Contoso\n", encoding="utf-8")
    command = [sys.executable, "-c", "from mdm.cli.main import app; app()", "load", str(tmp_path / "one.csv")]
    environment = {**os.environ, "MDM_DATABASE_URL": database_url, "MDM_FAILPOINTS": "ingest.stored=raise"}
    arguments = ["-s", "crm", "-e", "customer", "--create-source", "crm"]

    plain, debugged = (
        subprocess.run(
            [*command, *arguments],
            capture_output=True,
            text=True,
            check=False,
            env={**environment, "MDM_LOG_LEVEL": level},
        )
        for level in ("info", "debug")
    )

    assert plain.returncode == 5
    assert plain.stderr.splitlines() == [
        "Error: FailpointHit: ingest.stored",
        "What to do: report it; run it again with MDM_LOG_LEVEL=debug to see where.",
    ]
    assert "Traceback" in debugged.stderr
