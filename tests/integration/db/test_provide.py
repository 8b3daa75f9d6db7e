"""Which database the hub uses."""

import subprocess
import sys
from pathlib import Path

import pytest

from mdm.db.provide import hub_database, with_driver
from mdm.settings import Settings
from tests.databases import ask


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_configured_server_is_used_with_our_driver(scheme: str) -> None:
    with hub_database(Settings(database_url=f"{scheme}://mdm@host/hub")) as url:
        assert url == "postgresql+psycopg://mdm@host/hub"


def test_a_url_of_another_database_is_left_for_the_settings_to_refuse() -> None:
    assert with_driver("mysql://host/hub") == "mysql://host/hub"


@pytest.mark.db
def test_without_a_configured_server_the_embedded_one_of_the_home_is_used(reachable_home: Path) -> None:
    with hub_database(Settings(home=reachable_home)) as url:
        assert ask(url, "SELECT 1") == 1


def test_importing_it_loads_no_driver() -> None:
    loaded = "import sys, mdm.db.provide; print({'sqlalchemy', 'psycopg', 'alembic'} & set(sys.modules))"

    answer = subprocess.run(
        [sys.executable, "-c", loaded], cwd=Path(__file__).parents[3], check=True, capture_output=True, text=True
    )

    assert answer.stdout.strip() == "set()"
