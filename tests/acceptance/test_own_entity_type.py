"""A user's own entity type by a YAML file alone: loaded, matched, merged, resolved, exported and checked."""

import re

import pytest
from sqlalchemy import Engine

from mdm.access.service import create_key
from mdm.db.transaction import transaction
from mdm.settings import Settings
from mdm.sources.files import read_file
from tests.acceptance.test_first_ten_minutes import ROOT, Terminal, terminal
from tests.hubs import hub_on, partition_of
from tests.integration.api.conftest import serving

pytestmark = [pytest.mark.db, pytest.mark.oldest]
__all__ = ["terminal"]

SHIPPED = (ROOT / "examples" / "entities" / "vendor.yaml").read_text(encoding="utf-8")
WITHOUT_MATCHING = re.sub(r"^matching:.*", "", SHIPPED, flags=re.DOTALL | re.MULTILINE)
# Karst is in both systems, Bremer twice in one of them under another spelling; the two of Lindqvist are two firms.
BUYING = """id,Vendor Name,VAT,iban,email,City,Country
V1,Karst Werkzeuge GmbH,DE136695976,DE89370400440532013000,ap@karst.example,Kiel,Germany
V2,Bremer Logistik GmbH,,DE02120300000000202051,post@bremer.example,Bremen,Germany
V3,Bremer Logistik,,DE02 1203 0000 0000 2020 51,post@bremer.example,Bremen,DE
V4,Lindqvist AB,SE556703748501,,,Malmö,Sweden
"""
PAYING = """id,supplier,vatRegNumber,BankIBAN,PrimaryContactEmail,town,country
77,KARST WERKZEUGE G.m.b.H.,DE 136 695 976,DE89370400440532013000,ap@karst.example,Kiel,DE
78,Lindqvist AB,SE556012579001,,,Malmö,SE
79,Ozone Travel Ltd,GB980780684,GB33BUKB20201555555555,,London,GB
"""


@pytest.fixture(params=[SHIPPED, WITHOUT_MATCHING], ids=["as it is shipped", "without a matching section"])
def declaring(request: pytest.FixtureRequest, terminal: Terminal) -> Terminal:
    """Give a terminal whose hub knows vendors from a folder with that one file."""
    folder = terminal.folder / "own"
    folder.mkdir()
    (folder / "vendor.yaml").write_text(request.param, encoding="utf-8")
    terminal.environment["MDM_ENTITIES"] = str(folder)
    return terminal


def test_vendors_need_a_file_and_no_code(declaring: Terminal, engine: Engine, database_url: str) -> None:
    for source, text in (("buying", BUYING), ("paying", PAYING)):
        file = declaring.folder / f"{source}.csv"
        file.write_text(text, encoding="utf-8")
        declaring.run("load", file, "-s", source, "-e", "vendor", "--create-source", "erp", "--object", "vendor")

    # What was delivered twice is one golden record, and nothing else is.
    assert partition_of(hub_on(engine)) == {
        frozenset({"buying/vendor:V1", "paying/vendor:77"}),
        frozenset({"buying/vendor:V2", "buying/vendor:V3"}),
        frozenset({"buying/vendor:V4"}),
        frozenset({"paying/vendor:78"}),
        frozenset({"paying/vendor:79"}),
    }
    exported = declaring.folder / "crosswalk.csv"
    declaring.run("export", "crosswalk", "--from", "buying", "--to", "paying", "-e", "vendor", "-o", exported)
    ((_, pair),) = read_file(exported)
    assert isinstance(pair, dict)
    assert (pair["entity_type"], pair["from_key"], pair["to_key"]) == ("vendor", "buying/vendor:V1", "paying/vendor:77")

    # Its values survive by the file's rules, and systems resolve it over HTTP.
    with transaction(engine) as connection:
        token = create_key(connection, name="test", scopes=("read",), by="test").token
    header = {"Authorization": f"Bearer {token}"}
    settings = Settings(database_url=database_url, entities=(declaring.folder / "own",))
    with serving(settings) as client:
        asked = {"source": "buying", "source_key": "V1", "to": "paying"}
        resolved = client.get("/v1/crosswalk", params=asked, headers=header).json()
        golden = client.get(f"/v1/golden-records/{resolved['golden_id']}", headers=header).json()
    assert [key["source_key"] for key in resolved["source_keys"]] == ["77"]
    assert resolved["golden_id"] == pair["golden_id"]
    assert resolved["golden_id"].startswith("ven_")
    assert golden["values"]["tax_ids"] == ["DE136695976"]
    assert "invariants hold" in declaring.run("check")
