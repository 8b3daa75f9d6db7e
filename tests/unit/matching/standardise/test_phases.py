"""The part that a name says it is."""

import pytest

from matching.standardise import FORMS


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("ERP roll-out phase 2", ("phase:2",)),
        ("ERP roll-out – Phase II: go live", ("phase:2",)),
        ("Roll-out Ph. 02", ("phase:2",)),
        ("2nd phase of the audit", ("phase:2",)),
        ("SAP 2. Phase", ("phase:2",)),
        ("Zweite Phase", ("phase:2",)),
        ("Phase2", ("phase:2",)),
        ("Stage One", ("phase:1",)),
        ("Teil 3", ("part:3",)),
        ("Lot 3 / Phase 1", ("part:3", "phase:1")),
        ("Amendment No. 3 to the MSA", ("amendment:3",)),
        ("Change Order 04", ("amendment:4",)),
        ("Nachtrag 2", ("amendment:2",)),
        ("Renewal 2", ("renewal:2",)),
        ("2", ("phase:2",)),
        ("Roll-out 2", ("phase:2",)),
        ("Roll-out II", ("phase:2",)),
        ("Phase B: go live", ("phase:b",)),
        ("Lot A", ("part:a",)),
        ("Phase a la carte", ()),
        ("SOW #4", ("order:4",)),
        ("Statement of Work 4", ("order:4",)),
        ("Call-off No. 12 under the framework", ("order:12",)),
        ("Amendemnt 1", ("amendment:1",)),
        ("Support, year 2", ("year:2",)),
        ("2nd year of support", ("year:2",)),
        ("One year of support", ()),
        ("Migration to S/4", ()),
        ("Upgrade to Windows 11", ()),
        ("ERP roll-out", ()),
        ("Change two systems", ()),
        ("Change 7 habits", ()),
        ("Audit 2025", ()),
        ("Renewal 2027", ()),
        ("Phase out of System 365", ()),
        ("Digital phase", ()),
        ("365 phase rollout", ()),
        ("CO 2 reduction", ()),
        ("n/a", ()),
        ("", ()),
    ],
)
def test_a_name_tells_its_part_or_nothing(name: str, forms: tuple[str, ...]) -> None:
    assert FORMS["phase"]([name], [""]) == [forms]


@pytest.mark.parametrize(
    ("name", "forms"),
    [
        ("Audit Services", ("whole",)),
        ("Audit Services - Amendment 1", ("amendment",)),
        ("Audit Services (Renewal)", ("renewal",)),
        ("Renewal 2027", ("renewal",)),
        ("Roll-out Phase II", ("phase 2",)),
        ("Digital phase", ("whole",)),
        ("Organisational change", ("whole",)),
        ("Change Order 4", ("amendment",)),
        ("Amendment 1 to SOW 2", ("amendment order 2",)),
        ("Lot 3 / Phase 1", ("part 3 phase 1",)),
        ("Framework Agreement", ("whole",)),
        ("n/a", ()),
    ],
)
def test_a_name_without_a_part_is_the_whole(name: str, forms: tuple[str, ...]) -> None:
    assert FORMS["part"]([name], [""]) == [forms]
