"""The objects of the fake ERP hang together."""

from mdm.demo.fakes.erp import ERP


def test_numbers_count_up_from_1001() -> None:
    assert [ERP.make_id("", count) for count in (1, 2, 3)] == ["1001", "1002", "1003"]


def test_every_reference_names_an_object_of_the_system() -> None:
    targets = {field.object for rules in ERP.objects.values() for field in rules.fields.values() if field.object}

    assert targets == {"customer", "project", "contract", "resource"}


def test_every_object_can_be_taken_out_of_use() -> None:
    assert all(ERP.inactive_field in rules.fields for rules in ERP.objects.values())
