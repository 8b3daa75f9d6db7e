"""`mdm review sheet`: decisions by spreadsheet at the keyboard."""

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Mdm, document
from tests.integration.jobs.sheets import edited, rows_of

pytestmark = pytest.mark.db

ACME, NORTHWIND = "salesforce-emea/Account:001B", "netsuite-us/customer:43"


def test_reviews_go_out_and_decisions_come_back(loaded: Mdm, tmp_path: Path) -> None:
    sheet, back, results = (tmp_path / name for name in ("sheet.xlsx", "back.xlsx", "results.xlsx"))
    assert loaded("decide", "unsure", ACME, NORTHWIND, "--reason", "who knows").exit_code == 0
    out = loaded("review", "sheet", "export", sheet, "--kind", "unsure", "--min-score", "-50")
    assert (out.exit_code, "1 of customer" in out.stdout) == (0, True)
    none = document(loaded("review", "sheet", "export", tmp_path / "none.xlsx", "--min-score", "50", "--json"))
    assert none["rows"] == {}
    (row,) = rows_of(sheet)
    assert {row["Legal name · first"], row["Legal name · second"]} == {"Acme Tools Inc", "Northwind Traders Ltd"}
    edited(back, [{**row, "Decision": "Keep apart", "Comment": "two firms"}])

    dry = loaded("review", "sheet", "import", back, "--dry-run")
    assert "would be answered: 1" in dry.stdout
    done = document(loaded("review", "sheet", "import", back, "--out", results, "--json"))
    assert (done["counts"]["answered"], done["rows"][0]["result"], done["rows"][0]["row"]) == (1, "answered", 2)
    assert rows_of(results)[0]["Result"] == "answered"
    again = loaded("review", "sheet", "import", back)
    assert "answered so before: 1" in again.stdout
    assert loaded("check").exit_code == 0


def test_a_sheet_of_which_nothing_is_taken_is_refused(loaded: Mdm, tmp_path: Path) -> None:
    rows = [{"Decision": "Merge", "mdm:review": "rev_none", "mdm:versions": "cus_a=1"}]
    refused = loaded("review", "sheet", "import", edited(tmp_path / "back.xlsx", rows))

    assert (refused.exit_code, "Sheet1 row 2: there is no review 'rev_none'" in refused.stdout) == (1, True)
    assert loaded("review", "sheet", "import", tmp_path / "gone.xlsx").exit_code == 1
    assert loaded("review", "sheet", "export", tmp_path / "x.xlsx", "--order", "newest").exit_code == 2
