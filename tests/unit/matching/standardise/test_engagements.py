"""Periods that names tell, and numbers of documents."""

import pytest

from matching.standardise import FORMS


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("Audit 2025", ("2025",)),
        ("Audit FY25", ("2025",)),
        ("Audit FY 2025", ("2025",)),
        ("Prüfung Geschäftsjahr 25", ("2025",)),
        ("Support 2024/25", ("2024-2025",)),
        ("Support 2024 - 2026", ("2024-2026",)),
        ("Support FY24/25", ("2024-2025",)),
        ("Retainer Q1 2025", ("2025 q1",)),
        ("Retainer 2025 H2", ("2025 h2",)),
        ("Payroll March 2025", ("2025 03",)),
        ("Payroll Q1", ()),
        ("Workshop 2025-03-01", ("2025",)),
        ("Migration to Windows 11", ()),
        ("From January to March 2025", ("2025",)),
        ("n/a", ()),
    ],
)
def test_a_name_tells_its_period_or_nothing(name: str, forms: tuple[str, ...]) -> None:
    assert FORMS["period"]([name], [""]) == [forms]


@pytest.mark.parametrize(
    ("number", "forms"),
    [
        ("PRJ-0042/A1", ("prj 42 a 1",)),
        ("prj 42 a1", ("prj 42 a 1",)),
        ("4500 0123", ("4500 123",)),
        ("000", ()),
        ("TBC", ()),
    ],
)
def test_a_document_number_keeps_where_its_runs_part(number: str, forms: tuple[str, ...]) -> None:
    assert FORMS["document_number"]([number], [""]) == [forms]


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("PR20060 Payroll Migration", ("payroll migration",)),
        ("DEMF-PRJ-00003: ERP Roll-out", ("erp roll out",)),
        ("ERP Roll-out Phase II", ("erp roll out",)),
        ("ERP Roll-out II", ("erp roll out",)),
        ("2nd phase of the audit", ("of the audit",)),
        ("Managed Services - Amendment No. 1", ("managed services",)),
        ("Statement of Work 4 Data Platform", ("data platform",)),
        ("Audit FY25", ("audit",)),
        ("Support 2024/25", ("support",)),
        ("Retainer Q1 2025", ("retainer",)),
        ("ISO27001 Audit", ("iso27001 audit",)),
        ("Upgrade to Windows 11", ("upgrade to windows 11",)),
        ("Phase 2", ("phase 2",)),
        ("2025", ("2025",)),
        ("", ()),
    ],
)
def test_the_name_of_an_engagement_is_what_its_codes_part_and_period_leave(name: str, forms: tuple[str, ...]) -> None:
    assert FORMS["engagement_name"]([name], [""]) == [forms]


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("PR20060 Payroll Migration", ("pr 20060",)),
        ("PR20060", ("pr 20060",)),
        ("Payroll (DEMF-PRJ-00003, formerly PR20060)", ("demf prj 3", "pr 20060")),
        ("ISO27001 Audit FY2025", ()),
        ("Audit 2025", ()),
        ("4500123456", ()),
    ],
)
def test_numbers_of_documents_are_found_in_a_text(text: str, forms: tuple[str, ...]) -> None:
    assert FORMS["mentioned_number"]([text], [""]) == [forms]
