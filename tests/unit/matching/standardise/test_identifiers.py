"""Tax, register and other numbers; the valid ones are published examples of their kinds."""

import pytest

from matching.standardise import FORMS


def form(name: str, value: str, country: str = "") -> tuple[str, ...]:
    return FORMS[name]([value], [country])[0]


@pytest.mark.parametrize(
    ("value", "country", "expected"),
    [
        ("DE 136 695 976", "", "de-vat:de136695976"),
        ("136695976", "de", "de-vat:de136695976"),
        ("USt-IdNr.: DE136695976", "us", "de-vat:de136695976"),
        ("ATU13585627", "", "at-vat:atu13585627"),
        ("EL094259216", "", "gr-vat:gr094259216"),
        ("GB980780684", "", "gb-vat:gb980780684"),
        ("CHE-107.787.577 IVA", "ch", "ch-uid:che107787577"),
        ("NO 995 525 828 MVA", "no", "no-org:no995525828"),
        ("91-1144442", "us", "us-ein:us911144442"),
        ("51 824 753 556", "au", "au-abn:au51824753556"),
        ("GODE561231GR8", "mx", "mx-rfc:mxgode561231gr8"),
    ],
)
def test_a_valid_tax_number_names_its_country_and_kind(value: str, country: str, expected: str) -> None:
    assert form("tax_id", value, country) == (expected,)


@pytest.mark.parametrize(
    ("value", "country", "expected"),
    [
        ("73282932000074", "fr", "fr-siren:fr732829320"),  # SIRET: nine digits of the entity, five of the site
        ("16.727.230/0001-97", "br", "br-cnpj:br16727230"),  # CNPJ: eight digits of the company
        ("27AAPFU0939F1ZV", "in", "in-pan:inaapfu0939f"),  # GSTIN: the PAN in its middle
        ("12302 6635 RC 0001", "ca", "ca-bn:ca123026635"),  # BN: nine digits of the business
        ("SE556188840401", "", "se-vat:se5561888404"),  # VAT: the organisation number and 01
    ],
)
def test_a_number_of_a_branch_is_cut_to_the_legal_entity(value: str, country: str, expected: str) -> None:
    assert form("tax_id", value, country) == (expected,)


def test_a_number_that_breaks_its_rules_or_has_no_country_can_not_veto() -> None:
    assert form("tax_id", "DE136695977", "de") == ("weak:de136695977",)
    assert form("tax_id", "136695976") == ("weak:136695976",)


@pytest.mark.parametrize("value", ["000000000", "111111111", "123456789", "n/a", "12", "XXX"])
def test_a_filler_is_no_tax_number(value: str) -> None:
    assert form("tax_id", value, "us") == ()


@pytest.mark.parametrize("value", ["not registered", "under application", "XX999999999", "GB000000000"])
def test_what_has_no_two_different_digits_is_no_tax_number(value: str) -> None:
    assert form("tax_id", value, "gb") == form("tax_id", value) == ()


def test_a_register_number_has_the_scope_of_a_national_register_only() -> None:
    assert form("registration_number", "1234568", "gb") == ("gb:01234568",)
    assert form("registration_number", "SC123456", "gb") == ("gb:sc123456",)
    assert form("registration_number", "974 760 673", "no") == ("no:974760673",)
    assert form("registration_number", "HRB 4711", "de") == ("weak:hrb4711",)
    assert form("registration_number", "974760673") == ("weak:974760673",)


def test_a_duns_has_nine_digits_and_says_so() -> None:
    assert form("duns", "15-048-3782") == ("duns:150483782",)
    assert form("duns", "1048378") == ("duns:001048378",)
    assert form("duns", "111111111") == ()
    assert form("duns", "1504837820") == ()


def test_a_lei_is_kept_if_its_checksum_holds() -> None:
    assert form("lei", "213800KUD8LAJWSQ9D15") == ("lei:213800kud8lajwsq9d15",)
    assert form("lei", "213800KUD8LAJWSQ9D16") == ()


def test_an_identifier_meets_what_a_spreadsheet_left_of_it() -> None:
    assert form("identifier", "00012-34") == form("identifier", "1234") == ("1234",)
    assert form("identifier", "A-0012") == ("a0012",)


def test_a_code_keeps_its_words_and_a_reference_its_numbers() -> None:
    assert form("code", "NET_30") == form("code", "net 30") == ("net-30",)
    assert form("reference", "PRJ-0042") == form("reference", "prj 42") == ("prj42",)
    assert form("reference", "000") == ()
