"""Call the command line in this process, against this worker's database."""

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from mdm.cli.main import app
from mdm.db.engine import conninfo

SETTLE_S_MAX = 20.0

Mdm = Callable[..., Result]

ACCOUNTS = """Id,Name,Website,BillingCity,BillingCountry,BillingPostalCode,SystemModstamp
001A,Müller Maschinenbau GmbH,www.mueller-maschinenbau.de,München,Germany,80331,2026-03-01T10:00:00Z
001B,Acme Tools Inc,www.acme-tools.com,Boston,United States,02108,2026-03-01T10:00:00Z
001C,,,,,,2026-03-01T10:00:00Z
"""
CUSTOMERS = """internalId,companyName,url,BillingCity,country,zip
42,Mueller Maschinenbau,https://mueller-maschinenbau.de/,Munich,DE,80331
43,Northwind Traders Ltd,www.northwind.co.uk,London,GB,EC1A 1BB
"""


@pytest.fixture
def mdm(database_url: str, tmp_path: Path) -> Iterator[Mdm]:
    """Call `mdm` with these arguments on this worker's database."""
    environment = {"MDM_DATABASE_URL": database_url, "MDM_HOME": str(tmp_path / "home"), "COLUMNS": "200"}
    root = logging.getLogger()
    handlers = list(root.handlers)

    def call(*arguments: object) -> Result:
        return CliRunner().invoke(app, [str(each) for each in arguments], env=environment)

    yield call
    root.handlers[:] = handlers


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder with an export of two systems; one account has no name."""
    (tmp_path / "accounts.csv").write_text(ACCOUNTS, encoding="utf-8")
    (tmp_path / "customers.csv").write_text(CUSTOMERS, encoding="utf-8")
    return tmp_path


@pytest.fixture
def loaded(mdm: Mdm, folder: Path, database_url: str) -> Mdm:
    """Load both exports: five records, one without a name, two of one company. All of it is below the safe horizon."""
    for source, file in (("salesforce-emea", "accounts.csv"), ("netsuite-us", "customers.csv")):
        answer = mdm("load", folder / file, "-s", source, "-e", "customer", "--create-source", source.split("-")[0])
        assert answer.exit_code == 0, answer.stderr
    settle(database_url)
    return mdm


def settle(url: str) -> None:
    """Wait until no writer of the server is older than what was written: autovacuum is one, whatever it looks at."""
    deadline = time.monotonic() + SETTLE_S_MAX
    with psycopg.connect(conninfo(url), autocommit=True) as connection:
        (written,) = connection.execute("SELECT pg_snapshot_xmax(pg_current_snapshot())").fetchone() or (0,)
        while time.monotonic() < deadline:
            (oldest,) = connection.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())").fetchone() or (0,)
            if int(oldest) >= int(written):
                return
            time.sleep(0.05)
    pytest.fail(f"a transaction older than {written} still runs after {SETTLE_S_MAX:.0f} s")


def document(result: Result) -> Any:
    """Read the JSON document that a command printed."""
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def lines(result: Result) -> list[Any]:
    """Read the JSONL that a command printed."""
    assert result.exit_code == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]
