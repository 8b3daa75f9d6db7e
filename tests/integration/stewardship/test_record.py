"""One golden record with all that stands around it: its hierarchy, what points at it, what can be taken back."""

import pytest
from sqlalchemy import Engine

from mdm.decisions.model import Verdict
from mdm.errors import GoldenRecordUnknown
from mdm.hub import Hub
from mdm.ids import GoldenId
from mdm.sources.model import SourceKey
from mdm.stewardship.model import By, Confirm, Judge, Undo
from mdm.stewardship.operations import perform, preview
from mdm.stewardship.record import see_payload, see_record
from mdm.stewardship.record_effects import see_effect
from mdm.stewardship.record_history import history_of
from mdm.stewardship.record_kin import all_pointing_at, family_of, related_to
from tests.hubs import delivery, golden_by_key
from tests.record_firm import CE, HALDEN, NS, PARENT, PROJECT, SF, brightwater, deliver_all


@pytest.fixture
def hub(engine: Engine) -> Hub:
    return brightwater(engine)


def ids(hub: Hub) -> dict[str, GoldenId]:
    return {key: GoldenId(id_) for key, id_ in golden_by_key(hub).items()}


def test_a_value_names_its_record_its_rule_and_who_says_otherwise(hub: Hub) -> None:
    with hub.engine.connect() as connection:
        seen = see_record(hub, connection, ids(hub)[SF])

    (name,) = [field for field in seen.fields if field.attribute == "legal_name"]
    assert name.origin is not None
    assert (name.origin.source_key, name.origin.rule, name.origin.also_in) == (SF, "source_priority", 1)  # and CE
    assert [(one.value, one.origin.source_key) for one in name.losers] == [("BRIGHTWATER CONSULTING LIMITED", NS)]
    assert [member.source_key for member in seen.members] == [CE, NS, SF]


def test_what_was_delivered_is_seen_with_what_it_was_taken_for(hub: Hub) -> None:
    key = "certinia/Account:C-4"
    deliver_all(hub, delivery(key, "customer", at=5, name="Oakfield Labs Inc", country="Nowhere"))

    with hub.engine.connect() as connection:
        seen = see_payload(connection, SourceKey.parse(key))

    assert seen.columns == (("name", "Oakfield Labs Inc"), ("country", "Nowhere"))
    assert seen.warnings == (("country", "unknown_code"),)


def test_a_hierarchy_is_what_attributes_say_and_decisions_where_they_do_not(hub: Hub) -> None:
    golden = ids(hub)
    deliver_all(hub, delivery("certinia/Account:C-3", "customer", at=5, name="Oakfield Labs Inc", parent="C-1"))
    golden = ids(hub)
    verdict = Verdict("related", "of the group", "parent_of")
    perform(hub, Judge(golden[PARENT], golden[HALDEN], verdict), By("ann", "of the group"))

    with hub.engine.connect() as connection:
        family = family_of(hub, connection, golden[SF], hub.entity_type("customer"))
        alone = family_of(hub, connection, golden[PROJECT], hub.entity_type("project"))
        related = related_to(hub, connection, golden[HALDEN])

    assert {(kin.named.golden_id, kin.parent_id, kin.by) for kin in family} == {
        (golden[PARENT], "", ""),
        (golden[SF], golden[PARENT], "parent"),
        (golden["certinia/Account:C-3"], golden[SF], "parent"),
        (golden[HALDEN], golden[PARENT], "parent_of"),
    }
    assert alone == ()
    assert [(one.relation, one.other.golden_id) for one in related] == [("child_of", golden[PARENT])]


def test_what_points_at_a_record_is_counted_and_parted_by_what_is_over(hub: Hub) -> None:
    deliver_all(
        hub,
        delivery("certinia/pse__Proj__c:P-2", "project", at=5, name="Pier repair", customer="C-1", status="completed"),
    )

    with hub.engine.connect() as connection:
        (projects,) = all_pointing_at(hub, connection, ids(hub)[SF], "customer", limit=1)

    assert (projects.entity_type, projects.count, projects.open_count) == ("project", 2, 1)
    assert [row.named.name for row in projects.rows] == ["Pier repair"]
    assert projects.next == projects.rows[0].named.golden_id


def test_the_history_says_what_can_be_undone_and_what_was(hub: Hub) -> None:
    golden_id = ids(hub)[HALDEN]
    done = perform(hub, Confirm(golden_id), By("ann", "seen"))

    with hub.engine.connect() as connection:
        before = history_of(hub, connection, golden_id)
    undone = perform(hub, Undo(done.event_id), By("ann", "too early"))
    with hub.engine.connect() as connection:
        after = history_of(hub, connection, golden_id)

    assert [(one.event.kind, one.can_undo) for one in before.happened] == [("confirm", True), ("ingest", False)]
    assert [(one.event.kind, one.can_undo, one.undone_by) for one in after.happened] == [
        ("undo", False, None),
        ("confirm", False, undone.event_id),
        ("ingest", False, None),
    ]


def test_an_effect_is_told_with_names_and_the_versions_it_was_seen_on(hub: Hub) -> None:
    golden_id = ids(hub)[HALDEN]

    effect = preview(hub, Confirm(golden_id), By("ann", "looking"))
    with hub.engine.connect() as connection:
        told = see_effect(hub, connection, effect)

    assert [(one.named.name, one.became) for one in told.goldens] == [("Halden Roe Partners LLP", "changed")]
    assert told.expected == {golden_id: 1}
    assert told.moved == ()


def test_an_id_that_was_never_given_out_is_unknown(hub: Hub) -> None:
    with hub.engine.connect() as connection, pytest.raises(GoldenRecordUnknown):
        see_record(hub, connection, GoldenId("cus_never"))
