"""Words of sources to codes of the hub."""

from pathlib import Path

import pytest

from mdm.entities.code_lists import fold, read_code_lists, translate
from mdm.entities.model import NOWHERE, CodeList, Origin
from mdm.entities.service import DEFINITIONS

LISTS, FAULTS = read_code_lists([DEFINITIONS])


def test_the_built_in_lists_have_no_faults() -> None:
    assert FAULTS == []
    named = {"country", "currency", "payment_terms", "industry", "billing_method", "tax_treatment"}
    assert named <= {name for name, code_list in LISTS.items() if code_list.by_source}


@pytest.mark.parametrize(
    ("name", "word", "instance", "code"),
    [
        ("payment_terms", "Net 30", "salesforce-us", "net_30"),
        ("payment_terms", "NET-30", "", "net_30"),
        ("payment_terms", "30 Tage netto", "", "net_30"),
        ("payment_terms", "M010C", "d365-emea", "net_10"),
        ("payment_terms", "M010C", "netsuite-us", None),
        ("payment_terms", "net thirty-ish", "", None),
        ("billing_method", "T&M", "", "time_and_materials"),
        ("billing_method", "Time and Materials", "certinia", "time_and_materials"),
        ("billing_method", "FBM", "netsuite-us", "fixed_price"),
        ("industry", "Engineering", "", "manufacturing"),
        ("tax_treatment", "Reverse-Charge", "", "reverse_charge"),
        ("customer_status", "No", "d365-usmf", "active"),
        ("customer_status", "false", "netsuite-us", ""),
        ("country", "Germany", "", "DE"),
        ("country", "DEU", "", "DE"),
        ("country", "de", "", "DE"),
        ("country", "Atlantis", "", None),
        ("currency", "EUR", "", "EUR"),
        ("currency", "€", "", "EUR"),
        ("currency", "US Dollar", "netsuite-us", "USD"),
        ("currency", "XYZW", "", None),
        ("country", "_unitedKingdomGB", "netsuite-us", "GB"),
        ("country", "_unitedKingdomGB", "d365-de01", None),
        ("country", "_germany", "netsuite-us", "DE"),
        ("industry", "Other", "salesforce-us", ""),
        ("industry", "Other", "certinia-de", "other"),
        ("tax_treatment", "RC-GB", "netsuite-uk", "reverse_charge"),
        ("tax_treatment", "-Not Taxable-", "netsuite-us", "exempt"),
    ],
)
def test_a_word_is_translated_by_its_source_then_by_the_list(
    name: str, word: str, instance: str, code: str | None
) -> None:
    assert translate(LISTS[name], word, Origin(instance)) == code


def test_the_most_particular_source_wins() -> None:
    by_source = {"netsuite": {"1": "a"}, "netsuite-us": {"1": "b"}}
    code_list = CodeList("letters", "Letters", {"a": "A", "b": "B", "c": "C"}, {"1": "c"}, by_source)

    assert translate(code_list, "1", Origin("netsuite-us")) == "b"
    assert translate(code_list, "1", Origin("netsuite-us-west")) == "b"
    assert translate(code_list, "1", Origin("netsuite-emea")) == "a"
    assert translate(code_list, "1", Origin("netsuites")) == "c"


def test_a_source_is_named_by_its_system_too_and_more_closely_by_itself() -> None:
    by_source = {"netsuite": {"1": "a", "2": "a"}, "erp": {"1": "b"}}
    code_list = CodeList("letters", "Letters", {"a": "A", "b": "B", "c": "C"}, {"1": "c"}, by_source)

    assert translate(code_list, "1", Origin("books-us", "netsuite")) == "a"
    assert translate(code_list, "1", Origin("erp-us", "netsuite")) == "b"
    assert translate(code_list, "2", Origin("erp-us", "netsuite")) == "a"
    assert translate(code_list, "1", Origin("books-us", "sage")) == "c"


def test_a_list_may_be_a_csv(tmp_path: Path) -> None:
    (tmp_path / "code_lists").mkdir()
    (tmp_path / "code_lists" / "soil_type.csv").write_text(
        "code,title,synonyms\nc,Clay,clayey; lehm\ns,Sand,\nc,Chalk,\n", encoding="utf-8"
    )

    lists, faults = read_code_lists([tmp_path])

    assert lists["soil_type"].codes == {"c": "Clay", "s": "Sand"}
    assert translate(lists["soil_type"], "LEHM", NOWHERE) == "c"
    assert [(fault.line, fault.problem) for fault in faults] == [(4, "the code c stands here a second time")]


def test_a_synonym_of_two_codes_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "code_lists").mkdir()
    codes = "  c: {title: Clay, synonyms: [heavy]}\n  l: {title: Loam, synonyms: [Heavy]}\n"
    text = f"code_list: soil\ntitle: Soil\ncodes:\n{codes}"
    (tmp_path / "code_lists" / "soil.yaml").write_text(text, encoding="utf-8")

    _, faults = read_code_lists([tmp_path])

    assert [str(fault).partition("soil.yaml:")[2] for fault in faults] == [
        "5: codes.l.synonyms: 'Heavy' means c already; keep it at one of the two"
    ]


def test_words_fold_to_letters_and_digits() -> None:
    assert fold(" Net-30 ") == fold("NET 30") == "net30"
    assert fold("€") == "€"
