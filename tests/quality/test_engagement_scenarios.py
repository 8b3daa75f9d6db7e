"""Projects and contracts of one client, two at a time: what is joined, what a steward is asked, what stays apart.

"match" joins by itself, "ask" is a possible match, "apart" is neither: below the review line, or kept apart by a veto.
A careful human with nothing but the two records decided each line.
"""

from typing import Any, Literal

import numpy as np
import pytest

from matching.block import candidate_pairs
from matching.keys import blocking_keys
from matching.model import VERDICTS
from matching.online import conflict_signatures, conflicting, judge
from matching.records import records_from_rows
from matching.standardise import standardise
from mdm.entities.mapping import map_record, match_row
from mdm.entities.model import Origin
from mdm.entities.service import entity_type

Answer = Literal["match", "ask", "apart"]

MSA = {
    "number": "07389151",
    "name": "Managed Services Nordics",
    "start_date": "2025-01-01",
    "end_date": "2025-12-31",
    "value": "240000",
    "currency": "EUR",
    "po_number": "4500123456",
}
CONTRACTS: dict[str, tuple[dict[str, str], dict[str, str], Answer]] = {
    "CRM and ERP number their own, the term and the value agree": (
        MSA,
        {**MSA, "number": "C-30264", "po_number": ""},
        "match",
    ),
    "the ERP writes the number in another way and knows little else": (
        {**MSA, "number": "PC-00264"},
        {"number": "PC 264", "name": "Managed Services Nordics", "currency": "EUR"},
        "match",
    ),
    "name slipped, the client's purchase order agrees": (
        MSA,
        {"number": "C-30264", "name": "Managed Servces Nordics", "po_number": "4500-123456"},
        "match",
    ),
    "name and currency alone": (MSA, {"number": "C-30264", "name": MSA["name"], "currency": "EUR"}, "ask"),
    "another name, the term and the value agree": (
        MSA,
        {**MSA, "number": "C-30264", "name": "IT support 2025", "po_number": ""},
        "ask",
    ),
    "an amendment under the same purchase order": (
        MSA,
        {**MSA, "number": "20894268", "name": f"{MSA['name']} - Amendment 1", "value": "265000"},
        "apart",
    ),
    "an amendment under the number of its contract": (
        MSA,
        {**MSA, "name": f"{MSA['name']} - Amendment 1", "value": "265000"},
        "ask",
    ),
    "an amendment whose name is misspelt": (
        MSA,
        {**MSA, "number": "20894268", "name": f"{MSA['name']} - Amendemnt 1", "value": "265000"},
        "apart",
    ),
    "an amendment told by its number alone": (
        {**MSA, "number": "C-30264"},
        {**MSA, "number": "C-30264-A1", "value": "265000"},
        "ask",
    ),
    "amendment 1 and amendment 2": (
        {**MSA, "name": "Managed Services, Amendment 1"},
        {**MSA, "name": "Managed Services, Amendment No. 2"},
        "apart",
    ),
    "one amendment in two systems and two languages": (
        {**MSA, "name": "Managed Services Nordics – Amendment 1"},
        {**MSA, "number": "C-30264-A1", "name": "Managed Services Nordics, Nachtrag 01"},
        "match",
    ),
    "an amendment of a call-off and the call-off": (
        {**MSA, "name": "SOW 2 Managed Services"},
        {**MSA, "name": "Amendment 1 to SOW 2 Managed Services"},
        "ask",
    ),
    "a change order and its contract": (MSA, {**MSA, "name": f"{MSA['name']} Change Order 3"}, "ask"),
    "change order 3 twice": (
        {**MSA, "name": f"{MSA['name']} Change Order 3"},
        {**MSA, "number": "C-30264-CO3", "name": f"{MSA['name']} - Change Request No. 3"},
        "match",
    ),
    "change orders 3 and 4": (
        {**MSA, "name": f"{MSA['name']} Change Order 3"},
        {**MSA, "name": f"{MSA['name']} Change Order 4"},
        "apart",
    ),
    "a renewal under the same number and purchase order": (
        MSA,
        {**MSA, "start_date": "2026-01-01", "end_date": "2026-12-31"},
        "ask",
    ),
    "a renewal under the next number": (
        {**MSA, "number": "C-30264"},
        {**MSA, "number": "C-30265", "start_date": "2026-01-01", "end_date": "2026-12-31", "po_number": "4500123457"},
        "apart",
    ),
    "the next year by name, dates unknown": (
        {**MSA, "name": "Support 2025", "start_date": "", "end_date": ""},
        {**MSA, "name": "Support FY26", "start_date": "", "end_date": ""},
        "ask",
    ),
    "a quarter and the next": (
        {"name": "Retainer Q1 2025", "value": "30000", "currency": "EUR"},
        {"name": "Retainer Q2 2025", "value": "30000", "currency": "EUR"},
        "apart",
    ),
    "support, year 1 and year 2": ({**MSA, "name": "Support, year 1"}, {**MSA, "name": "Support, year 2"}, "apart"),
    "a framework and its call-off": (
        {**MSA, "name": "Framework Agreement Consulting"},
        {**MSA, "name": "Framework Agreement Consulting – Call-off 3", "value": "40000"},
        "ask",
    ),
    "two call-offs under one framework": (
        {**MSA, "name": "Consulting, Call-off 3"},
        {**MSA, "name": "Consulting, Call-off 4"},
        "apart",
    ),
    "one statement of work in two systems": (
        {**MSA, "name": "Data Platform SOW #4"},
        {**MSA, "number": "C-881", "name": "Statement of Work 4 Data Platform"},
        "match",
    ),
    "one agreement, split over two legal entities of ours": (
        {**MSA, "number": "NO-1001", "own_legal_entity": "NO01", "value": "160000", "po_number": ""},
        {**MSA, "number": "SE-2001", "own_legal_entity": "SE01", "value": "80000", "po_number": ""},
        "ask",
    ),
    "two legal entities of ours that count alike": (
        {"number": "C-1001", "name": "Audit Services", "start_date": "2025-01-01", "value": "90000"},
        {"number": "C-1001", "name": "Cloud Hosting", "start_date": "2025-09-15", "value": "22000"},
        "apart",
    ),
    "one agreement in two currencies": (
        MSA,
        {**MSA, "number": "C-30264", "value": "281000", "currency": "NOK"},
        "match",
    ),
    "extended in the ERP, the CRM has the old end": (
        MSA,
        {**MSA, "number": "C-30264", "end_date": "2026-06-30"},
        "match",
    ),
    "signed in the CRM, effective in the ERP": (
        {**MSA, "start_date": "2024-11-20"},
        {**MSA, "number": "C-30264", "start_date": "2025-01-01"},
        "match",
    ),
    "one service in two countries": (
        {**MSA, "name": "Managed Services Norway", "po_number": ""},
        {**MSA, "number": "C-30265", "name": "Managed Services Sweden", "po_number": ""},
        "ask",
    ),
    "a renewal by kind": ({**MSA, "kind": "original"}, {**MSA, "number": "C-9", "kind": "renewal"}, "ask"),
    "another contract of the client": (
        MSA,
        {
            **MSA,
            "number": "11118888",
            "name": "Cloud Hosting",
            "start_date": "2023-05-01",
            "value": "9000",
            "po_number": "1",
        },
        "apart",
    ),
}

ROLLOUT = {
    "name": "ERP Roll-out",
    "code": "PR20876",
    "start_date": "2025-03-03",
    "end_date": "2025-11-28",
    "value": "320000",
    "currency": "EUR",
}
PROJECTS: dict[str, tuple[dict[str, str], dict[str, str], Answer]] = {
    "the PSA and the ERP number their own": (ROLLOUT, {**ROLLOUT, "code": "DEMF-PRJ-00003"}, "match"),
    "re-keyed after a migration, the old code kept as a reference": (
        ROLLOUT,
        {"name": "ERP Rollout", "code": "P-000917", "cross_references": "PR20876", "start_date": "2025-07-01"},
        "match",
    ),
    "re-keyed after a migration, the start being the day of it": (
        ROLLOUT,
        {"name": "ERP Roll-out", "code": "P-000917", "start_date": "2026-01-01", "value": "320000"},
        "ask",
    ),
    "the code written before the name": (
        {**ROLLOUT, "value": ""},
        {"name": "PR20876 ERP Rollout", "code": "DEMF-PRJ-00003", "start_date": "2025-03-03"},
        "match",
    ),
    "the client written before the name": (
        ROLLOUT,
        {
            "name": "Lindqvist & Sævold - ERP Roll-out",
            "code": "17",
            "start_date": "2025-03-03",
            "end_date": "2025-11-28",
        },
        "match",
    ),
    "phase 1 and phase 2": (
        {**ROLLOUT, "name": "ERP Roll-out Phase 1"},
        {**ROLLOUT, "name": "ERP Roll-out Phase 2"},
        "apart",
    ),
    "phases by a bare number": (
        {**ROLLOUT, "name": "ERP Roll-out I"},
        {**ROLLOUT, "name": "ERP Roll-out II"},
        "ask",
    ),
    "phase 2 in words and in Roman numbers": (
        {**ROLLOUT, "name": "ERP Roll-out Phase 2"},
        {**ROLLOUT, "code": "9", "name": "ERP Roll-out II"},
        "match",
    ),
    "phases told by the code alone": (
        {**ROLLOUT, "code": "PR20876-01"},
        {**ROLLOUT, "code": "PR20876-02"},
        "ask",
    ),
    "a phase and the whole, all else alike": (ROLLOUT, {**ROLLOUT, "name": "ERP Roll-out - Phase 1"}, "ask"),
    "one project in two currencies": (
        ROLLOUT,
        {**ROLLOUT, "code": "US-77", "value": "347000", "currency": "USD"},
        "match",
    ),
    "the audit of one year and of the next": (
        {"name": "Statutory audit 2025", "code": "AU-10", "value": "90000"},
        {"name": "Statutory audit FY26", "code": "AU-10", "value": "90000"},
        "ask",
    ),
    "the audit of the next year under one name and code": (
        {"name": "Statutory audit", "code": "AU-10", "start_date": "2025-01-07"},
        {"name": "Statutory audit", "code": "AU-10", "start_date": "2026-01-07"},
        "ask",
    ),
    "a roll-out in two countries": (
        {**ROLLOUT, "code": "1", "name": "ERP Roll-out Germany"},
        {**ROLLOUT, "code": "2", "name": "ERP Roll-out France"},
        "ask",
    ),
    "work packages under the code of the engagement": (
        {"name": "ERP Testing", "code": "PR20876", "start_date": "2025-03-03"},
        {"name": "Data Migration", "code": "PR20876", "start_date": "2025-03-03"},
        "ask",
    ),
    "a generic title twice, dates apart": (
        {"name": "Workshop", "code": "A-1", "start_date": "2025-03-03", "value": "8000"},
        {"name": "Workshop", "code": "B 7", "start_date": "2025-10-20", "value": "8000"},
        "ask",
    ),
    "another project of the client": (
        ROLLOUT,
        {**ROLLOUT, "name": "Payroll Migration", "code": "DEMF-PRJ-9", "start_date": "2023-05-01", "value": "9000"},
        "apart",
    ),
}


def answer(entity: str, left: dict[str, str], right: dict[str, str], contexts: tuple[str, str] = ("a", "a")) -> Answer:
    """Judge two records of one client by the shipped model, as the hub does before it has learnt a population."""
    declared = entity_type(entity)
    rows: list[Any] = [
        match_row(
            declared,
            map_record(declared, {name: value for name, value in row.items() if value}, origin=Origin("x")).values,
        )
        for row in (left, right)
    ]
    forms = standardise(records_from_rows(["l", "r"], ["one", "two"], rows, contexts), declared.model)
    pair, model = (np.array([0]), np.array([1])), declared.model
    met = candidate_pairs(blocking_keys(forms, model), model)
    if len(met.left) == 0 or conflicting(conflict_signatures(forms, model), *pair)[0]:
        return "apart"
    verdict = VERDICTS[judge(forms, *pair, model).verdicts[0]]
    return {"match": "match", "possible_match": "ask", "non_match": "apart"}[verdict]  # type: ignore[return-value]


@pytest.mark.parametrize(("left", "right", "expected"), CONTRACTS.values(), ids=CONTRACTS.keys())
def test_contracts_of_one_client(left: dict[str, str], right: dict[str, str], expected: Answer) -> None:
    assert answer("contract", left, right) == expected
    assert answer("contract", right, left) == expected


@pytest.mark.parametrize(("left", "right", "expected"), PROJECTS.values(), ids=PROJECTS.keys())
def test_projects_of_one_client(left: dict[str, str], right: dict[str, str], expected: Answer) -> None:
    assert answer("project", left, right) == expected
    assert answer("project", right, left) == expected


def test_one_template_under_two_clients_is_two_projects() -> None:
    assert answer("project", ROLLOUT, ROLLOUT, ("a", "a")) == "match"
    assert answer("project", ROLLOUT, ROLLOUT, ("a", "b")) == "apart"
