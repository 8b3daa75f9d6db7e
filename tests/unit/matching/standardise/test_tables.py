"""The tables hold together: every row can be used, and none is there twice."""

import csv
from pathlib import Path

import pytest
from stdnum.util import get_cc_module

from matching.standardise import FORMS, tables

FOLDER = Path(tables.__file__).parent


def rows(name: str) -> list[dict[str, str]]:
    with (FOLDER / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_legal_forms_cover_their_countries_and_name_their_source() -> None:
    forms = rows("legal_forms.csv")
    countries = {country for row in forms for country in row["countries"].split()}

    assert len(forms) >= 200
    assert len(countries) >= 40
    assert all(row["source"] for row in forms)
    assert {row["where"] for row in forms} <= {"start", "end", "both", "any"}
    assert countries - {row["iso2"].lower() for row in rows("countries.csv")} == set()


def test_every_legal_form_has_a_spelling_in_ascii() -> None:
    assert all(spelling and spelling.isascii() for spelling in tables.legal_forms())


def test_every_kind_of_tax_number_has_its_rules() -> None:
    kinds = [kind for kinds in tables.tax_id_kinds().values() for kind in kinds]

    assert [kind for kind in kinds if get_cc_module(kind.country, kind.module) is None] == []


def test_every_placeholder_belongs_to_forms_that_exist() -> None:
    named = (
        {name for row in rows("placeholders.csv") for name in row["forms"].split()} - {"*"} - set(tables.FORM_GROUPS)
    )

    assert named <= set(FORMS)
    assert {name for names in tables.FORM_GROUPS.values() for name in names} | {"country"} <= set(FORMS)


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("countries.csv", "iso2"),
        ("countries.csv", "iso3"),
        ("currencies.csv", "code"),
        ("placeholders.csv", "value"),
        ("cities.csv", "city"),
    ],
)
def test_no_row_is_there_twice(table: str, column: str) -> None:
    found = [row[column] for row in rows(table)]

    assert len(found) == len(set(found))


def test_no_name_belongs_to_two_countries() -> None:
    owner: dict[str, str] = {}
    for row in rows("countries.csv"):
        for name in (row["iso2"], row["iso3"], row["name"], *filter(None, row["others"].split("|"))):
            assert owner.setdefault(name.lower(), row["iso2"]) == row["iso2"], name
