"""`mdm golden`: a merge whose result is edited by hand, and operations on the versions that were seen."""

import pytest

from tests.integration.cli.conftest import Mdm, document

ACME, NORTHWIND = "salesforce-emea/Account:001B", "netsuite-us/customer:43"
WHY = ("--reason", "acquired")


def test_a_merge_takes_values_by_hand_and_the_versions_that_were_seen(loaded: Mdm) -> None:
    ids = [document(loaded("resolve", key, "--json"))["golden_id"] for key in (ACME, NORTHWIND)]
    by_hand = ("--value", "legal_name=Acme = Northwind", "--value", "website=", "--value", 'trading_names=["ANW"]')

    stale = loaded("golden", "merge", ACME, NORTHWIND, *WHY, *by_hand, "--expect-version", f"{ids[1]}=2")
    seen = ("--expect-version", f"{ids[0]}=1", "--expect-version", f"{NORTHWIND}=1")
    done = loaded("golden", "merge", ACME, NORTHWIND, *WHY, *by_hand, *seen)

    assert stale.exit_code != 0
    assert f"{ids[1]} is version 1, not version 2" in stale.stderr
    assert done.exit_code == 0, done.stderr
    values = document(loaded("show", NORTHWIND, "--json"))["version"]["values"]
    assert (values["legal_name"], values["trading_names"]) == ("Acme = Northwind", ["ANW"])
    assert values.get("website") is None


@pytest.mark.parametrize("operation", ["split", "move", "dissolve", "confirm", "retire"])
def test_every_operation_is_refused_on_another_version(loaded: Mdm, operation: str) -> None:
    arguments = {"split": [ACME, "--part", ACME], "move": [NORTHWIND, ACME]}.get(operation, [ACME])

    refused = loaded("golden", operation, *arguments, *WHY, "--expect-version", f"{ACME}=7")

    assert refused.exit_code != 0
    assert "not version 7" in refused.stderr


def test_pairs_that_are_none_are_told(loaded: Mdm) -> None:
    for wrong in ("--value=legal_name", "--value=[]=[", "--expect-version=cus_1", "--expect-version==3"):
        assert loaded("golden", "merge", ACME, NORTHWIND, *WHY, wrong).exit_code == 2
