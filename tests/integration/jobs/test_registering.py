"""The system of a source instance is folded, a strange one is told, and a wrong one can be put right."""

from typing import Any

import pytest
from sqlalchemy import text

from mdm.db.transaction import run
from mdm.errors import InputInvalid, SourceConflict
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.jobs import known_instances
from mdm.jobs.registering import Registered, register_source
from mdm.jobs.service import deliver, refresh_due
from mdm.sources.model import HUB, SourceInstance
from mdm.sources.service import instances
from mdm.survivorship.service import golden_version
from tests.hubs import assert_sound, delivery, golden_by_key

pytestmark = pytest.mark.db

A, B = "x1/custtable:1", "crm-east/Account:1"
TAX = "DE136695976"
TERMS: dict[str, Any] = {"PaymentTerms": "M010C", "currency": "EUR"}  # a key of D365 that means net 10


def registered(hub: Hub, instance_id: str, system: str) -> Registered:
    instance = SourceInstance(instance_id, system, instance_id)
    return run(hub.engine, lambda connection: register_source(connection, hub.declared, instance, who="ann"))


def value(hub: Hub, key: str, attribute: str) -> str | None:
    golden = run(hub.engine, lambda c: golden_version(c, GoldenId(golden_by_key(hub)[key])))
    assert golden is not None
    found: str | None = golden.values.get(attribute)
    return found


@pytest.mark.parametrize("system", ["d365", "D365", " d365 ", "NetSuite", "kantata"])
def test_a_system_that_is_known_is_kept_folded_and_without_a_word(hub: Hub, system: str) -> None:
    found = registered(hub, "x1", system)

    assert found.warnings == ()
    kept = next(one for one in run(hub.engine, instances) if one.id == "x1")
    assert kept.system == found.instance.system == system.strip().lower()


@pytest.mark.parametrize(
    ("system", "remedy"),
    [("salesforc", "did you mean salesforce?"), ("homemade", "known are certinia, crm, d365, hubspot")],
)
def test_a_system_that_nothing_names_is_taken_with_a_warning(hub: Hub, system: str, remedy: str) -> None:
    found = registered(hub, "x1", system)

    (warning,) = found.warnings
    assert (warning.code, warning.severity) == ("system_unnamed", "warn")
    assert remedy in warning.remedy
    assert registered(hub, "x1", system).warnings == ()  # it was told


def test_no_system_at_all_is_refused(hub: Hub) -> None:
    with pytest.raises(InputInvalid, match="an installation of no system"):
        registered(hub, "x1", "  ")


def test_one_that_was_registered_in_capitals_is_read_folded(hub: Hub) -> None:
    with hub.engine.begin() as connection:
        connection.execute(
            text(
                "INSERT INTO source_instance (id, system, title, rank, duplicate_free, who)"
                " VALUES ('x1', 'D365 ', 'x1', 1, false, 'test')"
            )
        )

    (outcome,) = deliver(hub, [delivery(A, "customer", name="Brennwald", **TERMS)], who="test")

    assert outcome.errors == ()
    assert value(hub, A, "payment_terms") == "net_10"
    assert registered(hub, "x1", "d365").before == SourceInstance("x1", "d365", "x1", 1)


def test_golden_values_and_words_follow_a_system_that_is_corrected(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known_instances, "REFRESH_S", 0.0)
    registered(hub, "x1", "salesforc")
    here = delivery(A, "customer", at=1, name="Brennwald Anlagenbau GmbH", country="DE", vat_id=TAX)
    there = delivery(B, "customer", at=2, name="Brennwald GmbH", country="DE", vat_id=TAX)
    deliver(hub, [here, there], who="test")
    assert golden_by_key(hub)[A] == golden_by_key(hub)[B]
    assert value(hub, A, "legal_name") == "Brennwald GmbH"  # neither is named, so the newer one

    found = registered(hub, "x1", "Salesforce")

    (warning,) = found.warnings
    assert warning.code == "system_corrected"
    assert "was registered as salesforc; the worker works 1 golden records out anew" in warning.message
    assert "--object customer for a customer" in warning.remedy
    assert refresh_due(hub) == 1
    assert refresh_due(hub) == 0
    assert value(hub, A, "legal_name") == "Brennwald Anlagenbau GmbH"
    assert_sound(hub)
    # What is delivered from now on is read in the words of the right system, also where nothing else is new.
    registered(hub, "x1", "d365")
    terms = delivery(A, "customer", at=3, name="Brennwald Anlagenbau GmbH", vat_id=TAX, **TERMS)
    assert deliver(hub, [terms], who="test")[0].errors == ()


def test_a_correction_is_in_the_audit_log_with_its_author(hub: Hub) -> None:
    registered(hub, "x1", "salesforc")
    registered(hub, "x1", "salesforce")

    with hub.engine.connect() as connection:
        rows = connection.execute(
            text("SELECT who, action FROM audit_entry WHERE subject_id = 'x1' ORDER BY recorded_at, id")
        )
        found = [(row.who.split(" (")[0], row.action) for row in rows]
    assert found == [("ann", "source_instance.made"), ("ann", "source_instance.changed")]


def test_the_hubs_own_instance_keeps_its_system(hub: Hub) -> None:
    with pytest.raises(SourceConflict, match="built in"):
        registered(hub, HUB, "salesforce")
