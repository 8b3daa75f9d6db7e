"""The demo firm goes along the real path, and a second time changes nothing."""

from pathlib import Path

import pytest

from mdm.db.transaction import run
from mdm.demo.service import load_demo
from mdm.hub import open_hub
from mdm.jobs.check import check
from mdm.jobs.service import deliver
from mdm.settings import Settings
from tests.hubs import delivery

pytestmark = pytest.mark.db


def test_the_firm_is_loaded_once_and_told_in_six_lines(database_url: str, tmp_path: Path) -> None:
    with open_hub(Settings(home=tmp_path), database_url) as hub:
        first = load_demo(hub, scale=0.05)
        files = {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()}
        again = load_demo(hub, scale=0.05)
        unchanged = {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()}
        deliver(hub, [delivery("salesforce-us/Account:own", "customer", Name="My Own Client Ltd")], who="test")
        beside_others = load_demo(hub, scale=0.05)
        violations = run(hub.engine, lambda connection: check(connection, hub.declared))

    assert (first.changed, again.changed) == (True, False)
    assert [line.split()[0] for line in first.lines] == [*("Records", "Golden", "Reviews", "Put", "Crosswalk", "Files")]
    assert first.lines == again.lines == beside_others.lines
    assert unchanged == files
    assert violations == ()
