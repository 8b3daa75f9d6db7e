"""`mdm model`: versions of rules from the command line, from a file of YAML to an activation and back."""

from pathlib import Path

import pytest

from tests.integration.cli.conftest import Mdm, document

pytestmark = pytest.mark.db


def test_rules_are_exported_changed_kept_compared_and_activated(loaded: Mdm, tmp_path: Path) -> None:
    yaml = loaded("model", "show", "--entity", "customer", "--yaml").stdout
    changed = tmp_path / "customer.yaml"
    changed.write_text(yaml.replace("match_bits: 4", "match_bits: 5"), encoding="utf-8")

    kept = document(loaded("model", "import", changed, "-e", "customer", "--why", "stricter", "--json"))
    assert kept["survivorship"] is None

    found = document(loaded("model", "diff", "declared", kept["model"][:8], "--consequences", "--json"))
    assert found["difference"]["lines"] == {"match_bits": [4.0, 5.0]}
    assert (found["difference"]["levels"], found["difference"]["parts"], found["difference"]["values"]) == ([], [], {})
    assert found["consequences"]["after"]["figures"]["records"] == 4
    assert found["consequences"]["reasons_against"] == []

    told = loaded("model", "activate", kept["model"][:8], "--why", "stricter").stdout
    assert "Activation 1 holds." in told
    assert "4 records anew" in told
    assert f"model {kept['model']}" in loaded("model", "list", "-e", "customer").stdout
    assert document(loaded("model", "show", "-e", "customer", "--json"))["model"]["match_bits"] == 5
    again = loaded("model", "activate", kept["model"], "--why", "again")
    assert again.exit_code == 1
    assert "hold for customer already" in again.stderr

    assert "Activation 2 holds." in loaded("model", "rollback", "-e", "customer", "--why", "too strict").stdout
    assert document(loaded("model", "list", "-e", "customer", "--json"))[0]["holds"]["model"] is None
    assert loaded("check").exit_code == 0


def test_a_yaml_with_faults_is_refused_with_every_one_and_its_line(loaded: Mdm, tmp_path: Path) -> None:
    yaml = loaded("model", "show", "--entity", "customer", "--yaml").stdout
    wrong = tmp_path / "customer.yaml"
    wrong.write_text(yaml.replace("comparator: exact", "comparator: exactly", 1), encoding="utf-8")

    refused = loaded("model", "import", wrong, "-e", "customer", "--why", "x")

    assert refused.exit_code == 1
    assert "exactly" in refused.stderr
    assert "mdm-rules-" not in refused.stderr


def test_a_version_that_nobody_made_is_named(loaded: Mdm) -> None:
    refused = loaded("model", "show", "0123456789abcdef")

    assert refused.exit_code == 1
    assert "0123456789abcdef" in refused.stderr
    assert "mdm model list" in refused.stderr


def test_a_model_is_learnt_from_identifiers_where_nobody_has_decided(loaded: Mdm, tmp_path: Path) -> None:
    pictures = tmp_path / "report.html"

    refused = loaded("model", "train", "-e", "customer", "--report", pictures)
    assert refused.exit_code == 1
    assert "--identifiers" in refused.stderr
    both = loaded("model", "train", "-e", "customer", "--labels", tmp_path / "pairs.csv", "--identifiers")
    assert both.exit_code == 2
    assert "from labels or from identifiers" in both.stderr

    made = document(loaded("model", "train", "-e", "customer", "--identifiers", "--report", pictures, "--json"))

    assert "weights stay as declared" in " ".join(made["report"]["notes"])
    assert pictures.read_text(encoding="utf-8").count("<svg") >= 1
    assert "4 records known" in loaded("model", "show", made["version"]).stdout
    assert "identifiers" in loaded("model", "list", "-e", "customer").stdout
    assert loaded("check").exit_code == 0
