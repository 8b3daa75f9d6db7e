"""Forms over columns: once per distinct value and country, several values and attributes, each form once a record."""

from matching.model import FeatureSpec, MatchModel
from matching.records import records_from_rows
from matching.standardise import standardise


def model(*features: FeatureSpec) -> MatchModel:
    return MatchModel("customer", features=features, blocking=(), comparisons=())


def test_values_of_several_attributes_stand_together_once_each() -> None:
    rows = [
        {"legal_name": ["Acme GmbH"], "former_names": ["Acme AG", "Oldco Ltd"]},
        {},
        {"former_names": ["n/a"]},
        {"legal_name": ["Newco Inc. (formerly Oldco)"]},
    ]
    records = records_from_rows(list("abcd"), ["crm"] * 4, rows)

    forms = standardise(records, model(FeatureSpec("name", "company_name", ("legal_name", "former_names"))))

    assert [forms.features["name"].of(record) for record in range(4)] == [("acme", "oldco"), (), (), ("newco", "oldco")]
    assert len(set(forms.features["name"].values)) == len(forms.features["name"].values) == 3
    assert forms.keys == tuple("abcd")


def test_a_value_is_read_in_its_record_s_country() -> None:
    rows = [
        {"phone": ["0221 1234567"], "country": ["Germany"]},
        {"phone": ["0221 1234567"], "country": ["n/a"], "bill_country": ["GB"]},
        {"phone": ["0221 1234567"]},
    ]
    records = records_from_rows(list("abc"), ["crm"] * 3, rows)

    forms = standardise(records, model(FeatureSpec("phone", "phone", ("phone",), ("country", "bill_country"))))

    assert [forms.features["phone"].of(record) for record in range(3)] == [
        ("492211234567",),
        ("442211234567",),
        ("211234567",),
    ]


def test_a_feature_without_its_attribute_is_empty() -> None:
    records = records_from_rows(["a", "b"], ["crm", "crm"], [{"legal_name": ["Acme"]}, {}])

    forms = standardise(records, model(FeatureSpec("lei", "lei", ("lei",))))

    assert [forms.features["lei"].of(record) for record in range(2)] == [(), ()]


def test_no_records_give_no_forms() -> None:
    forms = standardise(records_from_rows([], [], []), model(FeatureSpec("name", "company_name", ("legal_name",))))

    assert len(forms.features["name"]) == 0
