"""Which database the hub uses."""

import subprocess
import sys
from pathlib import Path

import pytest

from mdm.db.provide import hub_database, with_driver
from mdm.errors import SettingsInvalid
from mdm.settings import Settings
from tests.databases import ask


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_a_configured_server_is_used_with_our_driver(scheme: str) -> None:
    with hub_database(Settings(database_url=f"{scheme}://mdm@host/hub")) as url:
        assert url == "postgresql+psycopg://mdm@host/hub"


@pytest.mark.parametrize("url", ["mysql://host/hub", "foo", "postgresql://me:secret@host:port/hub"])
def test_what_is_no_address_of_postgresql_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(SettingsInvalid) as refused:
        with_driver(url)

    assert "secret" not in refused.value.message
    assert "postgresql://" in refused.value.remedy


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
