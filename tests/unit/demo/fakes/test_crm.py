"""The ids of the fake CRM are made as Salesforce makes them."""

from mdm.demo.fakes.crm import CRM, with_checksum


def test_an_id_of_15_characters_gets_the_checksum_of_the_handbook() -> None:
    # 00155 has no capital: A. 00001 has none: A. QdZPK has Q, Z, P, K at places 0, 2, 3, 4: 1 + 4 + 8 + 16 = 29: 3.
    assert with_checksum("0015500001QdZPK") == "0015500001QdZPKAA3"


def test_ids_tell_the_object_and_are_never_alike() -> None:
    ids = [CRM.make_id("001", count) for count in range(1, 5_001)]

    assert {len(each) for each in ids} == {18}
    assert {each[:3] for each in ids} == {"001"}
    assert len({each.upper() for each in ids}) == 5_000  # they can be compared without case


def test_every_reference_names_an_object_of_the_system() -> None:
    targets = {field.object for rules in CRM.objects.values() for field in rules.fields.values() if field.object}

    assert targets <= set(CRM.objects)
