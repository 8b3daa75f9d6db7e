"""`mdm schema views`: views for reports with a typed column for each attribute."""

from tests.integration.cli.conftest import Mdm, document


def test_views_are_printed_and_then_made_once(loaded: Mdm) -> None:
    printed = loaded("schema", "views", "--entity", "contract").stdout
    first, second = (document(loaded("schema", "views", "--apply", "--json")) for _ in range(2))

    assert printed.startswith('CREATE VIEW mdm_views."contract" AS\nSELECT golden_id,')
    assert "mdm_views.as_number(values ->> 'value') AS \"value\"" in printed
    assert {"customer", "project", "contract", "resource"} <= set(first["made"])
    assert second["made"] == []
