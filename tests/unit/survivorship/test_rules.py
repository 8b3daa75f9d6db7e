"""Who survives by each strategy, what an override masks, and what lineage and losers say."""

from typing import Any

import pytest

from mdm.entities.service import entity_types
from mdm.survivorship.model import masked_hash
from mdm.survivorship.rules import fingerprint, losers, survive
from tests.unit.survivorship.examples import attribute, entity_type, on, override, record, rule


def test_source_priority_follows_the_list_and_a_system_covers_its_instances() -> None:
    client = entity_type(attribute("name", rule("source_priority", "netsuite", "crm")))
    members = [record("crm:1", {"name": "New"}, day=9), record("netsuite-us:2", {"name": "Booked"}, day=1)]

    golden = survive(client, members, (), on(10))

    assert golden.values == {"name": "Booked"}
    assert golden.lineage["name"].record_key == "netsuite-us/Account:2"
    assert golden.lineage["name"].record_id == "rec_netsuite-us:2"
    assert golden.lineage["name"].rule == "source_priority"


def test_a_source_that_nobody_listed_still_gives_a_value_by_recency() -> None:
    client = entity_type(attribute("name", rule("source_priority", "netsuite")))
    members = [record("crm:1", {"name": "Old"}, day=1), record("psa:2", {"name": "New"}, day=2)]

    golden = survive(client, members, (), on(10))

    assert golden.values == {"name": "New"}
    assert golden.lineage["name"].rule == "most_recent"


def test_source_priority_without_a_list_takes_the_rank_of_the_instance() -> None:
    client = entity_type(attribute("name", rule("source_priority")))
    members = [record("crm:1", {"name": "Second"}, day=9, rank=2), record("erp:1", {"name": "First"}, day=1, rank=1)]

    assert survive(client, members, (), on(10)).values == {"name": "First"}


@pytest.mark.parametrize(
    ("strategy", "survivor"),
    [
        ("most_recent", "Acme"),  # day 3
        ("longest", "Acme Consulting GmbH"),  # 20 characters
        ("most_frequent", "ACME  Ltd"),  # twice, but for case and spaces; the later form of the two
        ("minimum", "ACME  Ltd"),  # as texts: upper case first, a space before a letter
        ("maximum", "acme ltd"),
        ("min", "ACME  Ltd"),
        ("max", "acme ltd"),
    ],
)
def test_each_strategy_picks_by_its_own_measure(strategy: str, survivor: str) -> None:
    client = entity_type(attribute("name", rule(strategy)))
    members = [
        record("a:1", {"name": "acme ltd"}, day=0),
        record("b:1", {"name": "ACME  Ltd"}, day=1),
        record("c:1", {"name": "Acme Consulting GmbH"}, day=2),
        record("d:1", {"name": "Acme"}, day=3),
    ]

    assert survive(client, members, (), on(10)).values == {"name": survivor}


def test_minimum_and_maximum_compare_numbers_as_numbers() -> None:
    members = [record("a:1", {"budget": "9"}), record("b:1", {"budget": "10"}), record("c:1", {"budget": "9.50"})]

    least = survive(entity_type(attribute("budget", rule("minimum"))), members, (), on(1))
    most = survive(entity_type(attribute("budget", rule("maximum"))), members, (), on(1))

    assert (least.values["budget"], most.values["budget"]) == ("9", "10")


def test_most_complete_takes_the_record_with_most_attributes() -> None:
    client = entity_type(attribute("name", rule("most_complete")), attribute("phone"), attribute("city"))
    members = [record("a:1", {"name": "Full", "phone": "1", "city": "Bern"}), record("b:1", {"name": "Bare"}, day=5)]

    assert survive(client, members, (), on(10)).values["name"] == "Full"


def test_verified_values_come_first_by_mark_or_by_an_attribute_of_the_record() -> None:
    client = entity_type(attribute("vat", rule("verified_first", verified_by="checked")), attribute("checked"))
    late = record("a:1", {"vat": "DE1"}, day=5)
    marked = record("b:1", {"vat": "DE2"}, day=1, verified=frozenset({"vat"}))
    by_attribute = record("c:1", {"vat": "DE3", "checked": "Yes"}, day=0)

    assert survive(client, [late, marked], (), on(10)).values["vat"] == "DE2"
    assert survive(client, [late, by_attribute], (), on(10)).values["vat"] == "DE3"
    assert survive(client, [late], (), on(10)).lineage["vat"].rule == "most_recent"


def test_union_keeps_each_element_once_in_the_form_of_the_better_source() -> None:
    client = entity_type(attribute("emails", rule("union", "erp"), is_list=True))
    members = [
        record("crm:1", {"emails": ["Info@acme.com", "sales@acme.com"]}, day=9),
        record("erp:1", {"emails": ["info@acme.com"]}, day=1),
    ]

    golden = survive(client, members, (), on(10))

    assert golden.values["emails"] == ["info@acme.com", "sales@acme.com"]
    assert golden.lineage["emails"].elements == (("erp/Account:1", "crm/Account:1"), ("crm/Account:1",))
    assert losers(client, members, golden)["emails"][0].value == ["Info@acme.com"]


def test_union_shows_one_number_spelt_in_two_ways_once_and_two_companies_of_one_brand_twice() -> None:
    client = entity_types()["customer"]
    members = [
        record("erp:1", {"phones": ["0711/5550140"], "trading_names": ["Acme GmbH"], "country": "DE"}, day=9),
        record("crm:1", {"phones": ["+49 711 555 0140"], "trading_names": ["Acme AG"], "country": "DE"}, day=1),
    ]

    golden = survive(client, members, (), on(10))

    assert golden.values["phones"] == ["0711/5550140"]
    assert golden.lineage["phones"].elements == (("erp/Account:1", "crm/Account:1"),)
    assert len(golden.values["trading_names"]) == 2


def test_union_tells_elements_apart_by_their_key() -> None:
    client = entity_type(attribute("addresses", rule("union"), is_list=True, element_key="kind"))
    old = record("a:1", {"addresses": [{"kind": "billing", "city": "Bonn"}, {"kind": "site", "city": "Kiel"}]}, day=1)
    new = record("b:1", {"addresses": [{"kind": "Billing", "city": "Köln"}]}, day=2)

    golden = survive(client, [old, new], (), on(10))

    assert golden.values["addresses"] == [{"kind": "Billing", "city": "Köln"}, {"kind": "site", "city": "Kiel"}]


def test_a_group_comes_from_one_record_even_where_that_record_has_gaps() -> None:
    client = entity_type(
        attribute("street", rule("most_complete"), group="address"),
        attribute("city", group="address"),
        attribute("postal_code", group="address"),
    )
    whole = record("a:1", {"street": "Main 1", "city": "Bern"}, day=1)
    newer_part = record("b:1", {"postal_code": "3000"}, day=5)

    golden = survive(client, [newer_part, whole], (), on(10))

    assert golden.values == {"street": "Main 1", "city": "Bern"}
    assert {origin.record_key for origin in golden.lineage.values()} == {"a/Account:1"}
    assert losers(client, [newer_part, whole], golden)["postal_code"][0].why == "its record is less complete"


def test_a_dependent_attribute_follows_the_winner_of_another_one() -> None:
    client = entity_type(
        attribute("legal_form", rule("same_winner_as", attribute="name")), attribute("name", rule("longest"))
    )
    members = [
        record("a:1", {"name": "Acme Holding", "legal_form": "AG"}, day=1),
        record("b:1", {"name": "Acme", "legal_form": "GmbH"}, day=9),
    ]

    golden = survive(client, members, (), on(10))

    assert golden.values["legal_form"] == "AG"
    assert golden.lineage["legal_form"].rule == "same_winner_as"


def test_attributes_that_follow_each_other_in_a_circle_have_no_value() -> None:
    client = entity_type(
        attribute("x", rule("same_winner_as", attribute="y")), attribute("y", rule("same_winner_as", attribute="x"))
    )

    assert survive(client, [record("a:1", {"x": "1", "y": "2"})], (), on(1)).values == {}


def test_a_condition_leaves_records_out_and_only_a_declared_fallback_takes_them_back() -> None:
    strict = entity_type(attribute("name", rule("longest", when={"status": "active"})), attribute("status"))
    lenient = entity_type(
        attribute("name", rule("longest", fallback=("most_recent",), when={"status": ["active", "open"]})),
        attribute("status"),
    )
    closed = [record("a:1", {"name": "Gone", "status": "closed"}, day=1), record("b:1", {"name": "Lost"}, day=2)]
    active = [*closed, record("c:1", {"name": "In", "status": "ACTIVE"}, day=0)]

    assert "name" not in survive(strict, closed, (), on(3)).values
    assert survive(strict, active, (), on(3)).values["name"] == "In"
    assert survive(lenient, active, (), on(3)).values["name"] == "In"
    assert survive(lenient, closed, (), on(3)).values["name"] == "Lost"
    assert survive(lenient, closed, (), on(3)).lineage["name"].rule == "most_recent"
    golden = survive(strict, active, (), on(3))
    assert [loser.why for loser in losers(strict, active, golden)["name"]] == ["the rule leaves its record out"] * 2


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ({"status": {"not": "closed"}}, ["Open", "Unknown"]),
        ({"status": {"present": True}}, ["Closed", "Open"]),
        ({"status": {"present": False}}, ["Unknown"]),
        ({"tags": "key account"}, ["Open"]),
    ],
)
def test_conditions_speak_of_values_their_absence_and_lists(condition: dict[str, Any], names: list[str]) -> None:
    client = entity_type(
        attribute("names", rule("union", when=condition), is_list=True), attribute("status"), attribute("tags")
    )
    members = [
        record("a:1", {"names": ["Closed"], "status": "closed"}),
        record("b:1", {"names": ["Open"], "status": "open", "tags": ["new", "Key Account"]}),
        record("c:1", {"names": ["Unknown"]}),
    ]

    assert survive(client, members, (), on(1)).values["names"] == names


def test_a_fallback_decides_among_those_whom_the_strategy_finds_alike() -> None:
    client = entity_type(attribute("name", rule("source_priority", "crm", fallback=("longest",))))
    members = [record("crm:1", {"name": "Acme"}, day=9), record("crm:2", {"name": "Acme Ltd"}, day=1)]

    golden = survive(client, members, (), on(10))

    assert golden.values == {"name": "Acme Ltd"}
    assert losers(client, members, golden)["name"][0].why == "shorter"


def test_ties_end_at_source_time_then_source_rank_then_source_key() -> None:
    client = entity_type(attribute("name", rule("longest")))
    undated = record("a:1", {"name": "AAAA"}, day=None, rank=1)
    late = record("z:9", {"name": "BBBB"}, day=2, rank=9)
    ranked = record("y:9", {"name": "CCCC"}, day=2, rank=5)
    first_key = record("x:9", {"name": "DDDD"}, day=2, rank=5)
    members = [undated, late, ranked, first_key]

    golden = survive(client, members, (), on(10))

    assert golden.values == {"name": "DDDD"}
    assert [(loser.value, loser.why) for loser in losers(client, members, golden)["name"]] == [
        ("CCCC", "as good in all, but its source key sorts later"),
        ("BBBB", "as good by the rule and as recent, but its source ranks lower"),
        ("AAAA", "as good by the rule, but older in its source"),
    ]


def test_lineage_names_the_records_that_agree() -> None:
    client = entity_type(attribute("name"))
    members = [record("a:1", {"name": "Acme"}, day=1), record("b:1", {"name": "Acme"}, day=2)]

    golden = survive(client, members, (), on(3))

    assert golden.lineage["name"].to_json() == {
        "record_key": "b/Account:1",
        "record_id": "rec_b:1",
        "rule": "most_recent",
        "agreeing": ["a/Account:1"],
    }
    assert losers(client, members, golden) == {}


def test_an_override_for_ever_masks_and_says_when_a_source_knows_better() -> None:
    client = entity_type(attribute("name"))
    before = record("crm:1", {"name": "Old"}, day=1)
    after = record("crm:1", {"name": "Renamed"}, day=5)
    steward = override("name", "Right", day=2)

    quiet = survive(client, [before], [steward], on(9))
    contested = survive(client, [after], [steward], on(9))

    assert quiet.values == contested.values == {"name": "Right"}
    assert quiet.lineage["name"].override == steward
    assert quiet.lineage["name"].to_json()["override"]["author"] == "ada"
    assert (quiet.overrides[0].state, contested.overrides[0].state) == ("in_force", "masks_newer")
    assert contested.overrides[0].newer_record_keys == ("crm/Account:1",)
    assert losers(client, [before], quiet)["name"][0].why == "masked by the override of ada"


def test_an_override_until_the_source_changes_ends_with_the_value_it_masked() -> None:
    client = entity_type(attribute("name"))
    masked = masked_hash("crm/Account:1", "name", "Old")
    steward = override("name", "Right", "until_source_changes", masked=masked)

    assert survive(client, [record("crm:1", {"name": "Old"})], [steward], on(9)).values == {"name": "Right"}
    changed = survive(client, [record("crm:1", {"name": "New"})], [steward], on(9))
    assert changed.values == {"name": "New"}
    assert changed.overrides[0].state == "ended"
    assert survive(client, [record("erp:1", {"name": "Else"})], [steward], on(9)).values == {"name": "Else"}


def test_an_override_until_a_date_ends_at_that_instant_which_is_the_next_change() -> None:
    client = entity_type(attribute("name"))
    members = [record("crm:1", {"name": "Old"})]
    steward = override("name", "Right", "until", until=on(5))

    held = survive(client, members, [steward], on(4))
    ended = survive(client, members, [steward], on(5))

    assert (held.values, held.next_change_at) == ({"name": "Right"}, on(5))
    assert (ended.values, ended.next_change_at) == ({"name": "Old"}, None)


def test_of_two_overrides_that_meet_the_later_rules_and_the_other_is_listed() -> None:
    client = entity_type(attribute("name"))
    first = override("name", "First", day=1)
    later = override("name", "Later", day=2, record_key="erp/Account:1")

    golden = survive(client, [record("crm:1", {"name": "Old"})], [later, first], on(9))

    assert golden.values == {"name": "Later"}
    assert [(standing.override.value, standing.state) for standing in golden.overrides] == [
        ("First", "superseded"),
        ("Later", "in_force"),
    ]


def test_an_override_with_nothing_blanks_the_attribute_and_leaves_lineage() -> None:
    client = entity_type(attribute("phone"))

    golden = survive(client, [record("crm:1", {"phone": "000"})], [override("phone", None)], on(9))

    assert golden.values == {}
    assert golden.lineage["phone"].rule == "override"


def test_a_golden_record_without_members_has_no_values() -> None:
    golden = survive(entity_type(attribute("name")), (), (), on(0))

    assert (golden.values, golden.lineage, golden.next_change_at) == ({}, {}, None)


ADDRESS = entity_type(attribute("street", group="address"), attribute("city", group="address"), attribute("name"))


def test_overrides_of_attributes_that_move_together_end_together() -> None:
    before = {"street": "Hauptstr. 1", "city": "Köln"}
    masked = fingerprint(ADDRESS, "city", "crm/Account:1", before)
    held = [override(name, value, "until_source_changes", masked=masked) for name, value in (*before.items(),)]

    moved = survive(ADDRESS, [record("crm:1", {**before, "street": "Ring 2"})], held, on(9))

    assert survive(ADDRESS, [record("crm:1", before)], held, on(9)).overrides[0].state == "in_force"
    assert [standing.state for standing in moved.overrides] == ["ended", "ended"]
    assert moved.values == {"street": "Ring 2", "city": "Köln"}


def test_a_fingerprint_is_of_all_that_moves_together_and_of_nothing_else() -> None:
    def of(name: str, /, **values: str) -> str | None:
        return fingerprint(ADDRESS, name, "crm/Account:1", values)

    assert of("city", city="Köln", street="Ring 2") == of("street", street="Ring 2", city="Köln")
    assert of("city", city="Köln") != of("city", city="Köln", street="Ring 2")
    assert of("city", city="Köln") == of("city", city="Köln", name="Müller")
    assert of("name", name="Müller") == masked_hash("crm/Account:1", "name", "Müller")
    assert of("city", name="Müller") is None
