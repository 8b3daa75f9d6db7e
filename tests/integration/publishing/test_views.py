"""Views for reports: the worked queries of the guide run with the rights that it gives, and show what they should."""

import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import ProgrammingError

from mdm.db.engine import open_engine
from mdm.errors import Conflict
from mdm.hub import Hub
from mdm.jobs.service import deliver
from mdm.publishing.views import make_views
from tests.hubs import delivery, hub_on, register_instances

pytestmark = [pytest.mark.db, pytest.mark.oldest]

GUIDE = Path(__file__).parents[3] / "docs" / "guides" / "reports.md"
RIGHTS, COMPLETE, MISSING, VALUE = re.findall(r"```sql\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def hub(engine: Engine) -> Hub:
    opened = hub_on(engine)
    register_instances(opened, "salesforce-us", "netsuite-us")
    return opened


@pytest.fixture
def filled(hub: Hub) -> Hub:
    """Contoso in both systems, Northwind in the CRM alone, Fabrikam in the ERP alone; two contracts of Contoso."""
    send(
        hub,
        delivery("netsuite-us/customer:7", "customer", legal_name="Contoso Ltd", website="contoso.com", city="Leeds"),
        delivery("salesforce-us/Account:1", "customer", legal_name="Contoso Ltd", website="contoso.com", city="Leeds"),
        delivery("salesforce-us/Account:2", "customer", legal_name="Northwind GmbH", city="Bonn"),
        delivery("netsuite-us/customer:9", "customer", legal_name="Fabrikam Oy", city="Turku"),
        delivery("netsuite-us/contract:1", "contract", number="K-1", name="Rollout", customer="7", value="1000.50"),
        delivery("netsuite-us/contract:2", "contract", number="K-2", name="Support", customer="7", value="20"),
    )
    return hub


def send(hub: Hub, *deliveries: Any) -> None:
    outcomes = deliver(hub, deliveries, who="test")
    assert [one for one in outcomes if one.status == "rejected"] == []


def read(connection: Connection, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in connection.execute(text(query))]


def as_reports(connection: Connection, declared: Any) -> None:
    """Make the views and become the role of the guide, until the transaction is rolled back."""
    make_views(connection, declared)
    for statement in RIGHTS.split(";")[:-1]:
        connection.execute(text(statement))
    connection.execute(text("SET LOCAL ROLE reports"))


def test_the_queries_of_the_guide_answer_what_they_ask(filled: Hub) -> None:
    with filled.engine.connect() as connection:
        as_reports(connection, filled.declared)

        complete, missing, value = (read(connection, query) for query in (COMPLETE, MISSING, VALUE))

        connection.rollback()
    assert [(kind, records, confirmed) for kind, records, _, confirmed in complete] == [
        ("contract", 2, 0),
        ("customer", 3, 0),
    ]
    assert [name for _, name in missing] == ["Northwind GmbH"]
    assert value == [("Contoso Ltd", 2, Decimal("1020.5"))]


def test_the_role_of_reports_reaches_no_table(filled: Hub) -> None:
    with filled.engine.connect() as connection:
        as_reports(connection, filled.declared)

        for name in ("source_record_version", "golden_version", "person", "audit_entry"):
            with pytest.raises(ProgrammingError, match="permission denied"), connection.begin_nested():
                connection.execute(text(f"SELECT FROM {name}"))

        connection.rollback()


def test_history_and_forwards_tell_of_a_merge_and_held_values_are_not_shown(hub: Hub) -> None:
    """Two widgets become one by a shared code; a gizmo without a grade is held (tests/entities/gizmo.yaml)."""
    send(hub, delivery("salesforce-us/Thing:1", "widget_merge", name="one", codes=["a"]))
    send(hub, delivery("netsuite-us/Thing:2", "widget_merge", name="two", codes=["b"]))
    send(hub, delivery("netsuite-us/Thing:2", "widget_merge", name="two", codes=["a", "b"]))
    send(hub, delivery("salesforce-us/Gizmo:1", "gizmo", name="hidden", tag="t"))

    with hub.engine.connect() as connection:
        (forward,) = read(connection, "SELECT golden_id, entity_type, forward_to FROM mdm_views.forwards")
        keys = read(connection, "SELECT golden_id FROM mdm_views.crosswalk WHERE is_live AND object = 'Thing'")
        history = read(
            connection,
            "SELECT h.state FROM mdm_views.golden_history h JOIN mdm_views.forwards USING (golden_id) ORDER BY version",
        )
        held = read(connection, "SELECT state, values FROM mdm_views.golden_history WHERE entity_type = 'gizmo'")
        current = read(connection, "SELECT entity_type FROM mdm_views.golden_record_current")

    assert (forward[1], keys) == ("widget_merge", [(forward[2],)] * 2)
    assert history == [("active",), ("forwarded",)]
    assert held == [("active", None)]
    assert current == [("widget_merge",)]


def test_open_reviews_are_shown_with_both_sides(hub: Hub) -> None:
    """An equal name is worth 4 bits: above the review line of 3, below the match line of 8."""
    send(hub, delivery("salesforce-us/Thing:1", "widget_hold", name="red"))
    send(hub, delivery("netsuite-us/Thing:2", "widget_hold", name="red"))

    with hub.engine.connect() as connection:
        (review,) = read(
            connection,
            "SELECT kind, bits, is_assigned, is_claimed, left_golden_id <> right_golden_id FROM mdm_views.reviews_open",
        )

    assert review == ("possible_match", 4.0, False, False, True)


def test_a_view_is_made_anew_only_when_its_declaration_changed(
    fresh_database: str, request: pytest.FixtureRequest
) -> None:
    hub = hub_on(open_engine(fresh_database, 1))
    request.addfinalizer(hub.engine.dispose)
    with hub.engine.connect() as connection:
        assert set(make_views(connection, hub.declared)) == set(hub.declared)
        assert make_views(connection, hub.declared) == ()
        gizmo = hub.declared["gizmo"]
        connection.execute(text("CREATE VIEW upon AS SELECT name FROM mdm_views.gizmo"))
        connection.execute(text("COMMENT ON VIEW mdm_views.gizmo IS 'of another declaration'"))

        with pytest.raises(Conflict, match="upon is built upon it"):
            make_views(connection, {"gizmo": gizmo})
        connection.execute(text("DROP VIEW upon"))

        assert make_views(connection, {"gizmo": gizmo}) == ("gizmo",)


@pytest.mark.parametrize(
    ("function", "given", "read_as"),
    [
        ("as_number", "-12.50", Decimal("-12.50")),
        ("as_number", "12 EUR", None),
        ("as_day", "2028-02-29", "2028-02-29"),
        ("as_day", "2026-02-29", None),
        ("as_day", "soon", None),
        ("as_truth", "false", False),
        ("as_truth", "perhaps", None),
    ],
)
def test_a_text_that_is_no_such_value_is_null(
    connection: Connection, function: str, given: str, read_as: object
) -> None:
    ((found,),) = read(connection, f"SELECT mdm_views.{function}('{given}')")

    assert (str(found) if function == "as_day" and found else found) == read_as
