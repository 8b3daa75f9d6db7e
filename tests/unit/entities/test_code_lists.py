"""Words of sources to codes of the hub."""

from pathlib import Path

import pytest

from mdm.entities.code_lists import fold, read_code_lists, translate
from mdm.entities.model import NOWHERE, CodeList, Origin
from mdm.entities.service import DEFINITIONS

FOUND = read_code_lists([DEFINITIONS])


def test_the_built_in_lists_have_no_faults() -> None:
    assert FOUND.faults == []
    named = {"country", "currency", "payment_terms", "industry", "billing_method", "tax_treatment"}
    assert named <= {name for name, code_list in FOUND.lists.items() if code_list.by_source}


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
    assert translate(FOUND.lists[name], word, Origin(instance)) == code


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

    found = read_code_lists([tmp_path])

    assert found.lists["soil_type"].codes == {"c": "Clay", "s": "Sand"}
    assert translate(found.lists["soil_type"], "LEHM", NOWHERE) == "c"
    assert [(fault.line, fault.problem) for fault in found.faults] == [(4, "the code c stands here a second time")]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_csv_may_have_any_line_ends(tmp_path: Path, end: str) -> None:
    (tmp_path / "code_lists").mkdir()
    text = end.join(["code,title,synonyms", "c,Clay,lehm", "s,Sand,", "c,Chalk,"])
    (tmp_path / "code_lists" / "soil.csv").write_bytes(text.encode())

    found = read_code_lists([tmp_path])

    assert found.lists["soil"].codes == {"c": "Clay", "s": "Sand"}
    assert [fault.line for fault in found.faults] == [4]


def test_a_csv_that_cannot_be_read_is_a_fault_of_its_line(tmp_path: Path) -> None:
    (tmp_path / "code_lists").mkdir()
    (tmp_path / "code_lists" / "soil.csv").write_text(f"code,title\nc,Clay\ns,{'x' * 140_000}\n", encoding="utf-8")

    (told,) = [str(fault).partition("soil.csv:")[2] for fault in read_code_lists([tmp_path]).faults]

    assert told.startswith("3: is not CSV (field larger than field limit")


def test_a_synonym_of_two_codes_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "code_lists").mkdir()
    codes = "  c: {title: Clay, synonyms: [heavy]}\n  l: {title: Loam, synonyms: [Heavy]}\n"
    text = f"code_list: soil\ntitle: Soil\ncodes:\n{codes}"
    (tmp_path / "code_lists" / "soil.yaml").write_text(text, encoding="utf-8")

    assert faults_of(tmp_path) == ["5: codes.l.synonyms: 'Heavy' means c already; keep it at one of the two"]


def faults_of(folder: Path) -> list[str]:
    return [str(fault).partition("soil.yaml:")[2] for fault in read_code_lists([folder]).faults]


FAULTY = """\
code_list: soil
title: Soil
form: country
codes:
  c: {title: Clay, synonyms: [heavy]}
  l: {title: Loam, synonyms: [light, heavy]}
  s: {title: Sand}
by_source:
  netsuite: {1: c, 2: s, 3: DE, 4: silt}
  certinia: {1: l}
"""
TOLD = [
    "6: codes.l.synonyms: 'heavy' means c already; keep it at one of the two",
    "9: by_source.netsuite.4: there is no code silt; declare the code; known: c, l, s",
]


@pytest.mark.parametrize(
    ("good", "bad", "place"),
    [
        ("title: Soil", "titel: Soil", "title"),
        ("form: country", "form: iso9", "form"),
        ("form: country", "form: [7]", "form"),
        ("c: {title: Clay,", "c: {titel: Clay,", "codes.c.title"),
        ("[light, heavy]", "[[7], heavy]", "codes.l.synonyms.0"),
        ("s: {title: Sand}", "s: 7", "codes.s"),
        ("s: {title: Sand}", "s:", "codes.s"),
        ("{1: l}", "7", "by_source.certinia"),
        ("{1: l}", "{1: [l]}", "by_source.certinia.1"),
        ("{1: c,", "{1: 7,", "by_source.netsuite.1"),
    ],
)
def test_no_fault_of_a_list_hides_or_makes_another(tmp_path: Path, good: str, bad: str, place: str) -> None:
    (tmp_path / "code_lists").mkdir()
    path = tmp_path / "code_lists" / "soil.yaml"
    path.write_text(FAULTY, encoding="utf-8")
    assert faults_of(tmp_path) == TOLD
    assert good in FAULTY

    path.write_text(FAULTY.replace(good, bad, 1), encoding="utf-8")

    told = [fault for fault in faults_of(tmp_path) if fault not in TOLD]
    assert len(told) == len(faults_of(tmp_path)) - len(TOLD)
    assert told
    assert {fault.split(": ")[1].replace("titel", "title") for fault in told} == {place}


def test_codes_that_could_not_be_read_make_no_word_of_a_source_look_bad(tmp_path: Path) -> None:
    (tmp_path / "code_lists").mkdir()
    text = "code_list: soil\ntitle: Soil\ncodes: 7\nby_source: {netsuite: {1: c}}\n"
    (tmp_path / "code_lists" / "soil.yaml").write_text(text, encoding="utf-8")

    assert [fault.split(": ")[1] for fault in faults_of(tmp_path)] == ["codes"]


def test_words_fold_to_letters_and_digits() -> None:
    assert fold(" Net-30 ") == fold("NET 30") == "net30"
    assert fold("€") == "€"
