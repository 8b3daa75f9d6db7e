"""A labelled firm of hard contracts and projects: what repeats, is amended, renewed, called off, re-keyed and split.

Not the demo's: few clients with many engagements each, so that nearly everything a record meets is its own kin. Each
true contract and project is seen by two or three systems with other numbers, other words and gaps.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random

SUBJECTS = (
    "Managed Services", "Cloud Hosting", "Data Platform", "ERP Roll-out", "Payroll Outsourcing", "Statutory Audit",
    "Application Support", "Field Service", "Tax Advisory", "Security Operations", "Warehouse Migration", "Training",
)  # fmt: skip
PLACES = ("Germany", "France", "Nordics", "UK", "Iberia")
CLIENTS_COUNT = 60


@dataclass(frozen=True, slots=True)
class Agreement:
    """One true contract or project."""

    truth: str
    client: str
    name: str
    number: str
    start: date
    end: date
    value: int
    currency: str
    po_number: str


@dataclass(frozen=True, slots=True)
class Row:
    """One record of one system, in the hub's words, with the truth about it."""

    key: str
    source: str
    client: str
    truth: str
    fields: Mapping[str, str]


def hard_contracts(seed: int = 5) -> list[Row]:
    """Invent contracts with their amendments, renewals, call-offs and change orders, each seen by several systems."""
    random = Random(seed)
    true = [each for client in range(CLIENTS_COUNT) for each in _contracts_of(f"client-{client:03}", random)]
    return list(_seen(true, random, "contract"))


def hard_projects(seed: int = 6) -> list[Row]:
    """Invent projects with their phases, countries, years and work packages, each seen by several systems."""
    random = Random(seed)
    true = [each for client in range(CLIENTS_COUNT) for each in _projects_of(f"client-{client:03}", random)]
    return list(_seen(true, random, "project"))


def _first(client: str, place: int, random: Random) -> Agreement:
    start = date(random.choice((2023, 2024, 2025)), random.randint(1, 12), 1)
    return Agreement(
        truth=f"{client}/{place}",
        client=client,
        name=random.choice(SUBJECTS),
        number=f"C-{random.randint(10_000, 89_999)}",
        start=start,
        end=start + timedelta(days=364),
        value=random.randint(20, 900) * 1_000,
        currency=random.choice(("EUR", "USD", "GBP")),
        po_number=f"45{random.randint(10_000_000, 99_999_999)}",
    )


def _contracts_of(client: str, random: Random) -> Iterator[Agreement]:
    for place in range(3):
        first = _first(client, place, random)
        yield first
        kind = random.choice(("amended", "renewed", "framework", "changed", "countries", "alone"))
        for number in range(1, random.randint(2, 4)):
            truth, more = f"{first.truth}/{kind}-{number}", random.randint(5, 90) * 1_000
            if kind == "amended":
                name = f"{first.name} - {random.choice(('Amendment', 'Addendum'))} {number}"
                yield replace(
                    first, truth=truth, name=name, number=f"{first.number}-A{number}", value=first.value + more
                )
            elif kind == "renewed":
                start = date(first.start.year + number, first.start.month, 1)
                is_new = random.random() < 0.5
                yield replace(
                    first,
                    truth=truth,
                    start=start,
                    end=start + timedelta(days=364),
                    number=f"C-{random.randint(10_000, 89_999)}" if is_new else first.number,
                    po_number=f"{int(first.po_number) + number}" if is_new else first.po_number,
                )
            elif kind == "framework":
                shift = first.start + timedelta(days=30 * number)
                yield replace(first, truth=truth, name=f"{first.name} Call-off {number}", value=more, start=shift)
            elif kind == "changed":
                name = f"{first.name}, Change Order No. {number}"
                yield replace(first, truth=truth, name=name, number=f"{first.number}-CO{number}", value=more)
            elif kind == "countries":
                name = f"{first.name} {PLACES[number]}"
                yield replace(first, truth=truth, name=name, number=f"C-{random.randint(10_000, 89_999)}", po_number="")


def _projects_of(client: str, random: Random) -> Iterator[Agreement]:
    for place in range(3):
        first = replace(_first(client, place, random), number=f"PR{random.randint(10_000, 89_999)}", po_number="")
        yield first
        kind = random.choice(("phases", "years", "packages", "countries", "alone"))
        for number in range(1, random.randint(2, 4)):
            truth, code = f"{first.truth}/{kind}-{number}", f"PR{random.randint(10_000, 89_999)}"
            if kind == "phases":
                yield replace(first, truth=truth, name=f"{first.name} - Phase {number}", number=code)
            elif kind == "years":
                start = date(first.start.year + number, first.start.month, 1)
                yield replace(first, truth=truth, start=start, end=start + timedelta(days=364), number=code)
            elif kind == "packages":
                part = f"{first.name} {('Testing', 'Cut-over', 'Data Cleansing')[number - 1]}"
                yield replace(first, truth=truth, name=part, number=f"{first.number}-0{number}", value=first.value // 3)
            elif kind == "countries":
                yield replace(first, truth=truth, name=f"{first.name} {PLACES[number]}", number=code)


def _seen(true: Sequence[Agreement], random: Random, entity: str) -> Iterator[Row]:
    for place, each in enumerate(true):
        for source, own in (("crm", f"{place * 7 + 1_000_000:08}"), ("erp", each.number), ("psa", f"W/{place + 500}")):
            if source == "psa" and random.random() < 0.5:
                continue
            fields = _fields(each, source, own, random, entity)
            yield Row(f"{source}/{place}", source, each.client, each.truth, {k: v for k, v in fields.items() if v})


def _fields(each: Agreement, source: str, own: str, random: Random, entity: str) -> dict[str, str]:
    """Write what one system knows: the CRM translates and slips, the ERP knows no end, the PSA no purchase order."""
    start = each.start + timedelta(days=random.choice((0, 0, 0, 2, 14)) if source == "psa" else 0)
    name = each.name
    if source == "crm" and random.random() < 0.2:
        at = random.randint(2, 5)
        name = name[:at] + name[at + 1] + name[at] + name[at + 2 :]
    if source == "erp":
        name = name.replace(" - ", ": ").replace("Amendment ", "Amendment No. 0").replace("Phase ", "Ph. ")
        name = f"{own} {name}" if entity == "project" and random.random() < 0.3 else name
    return {
        "name": name,
        "code" if entity == "project" else "number": own,
        "cross_references": each.number if entity == "project" and source == "psa" and random.random() < 0.5 else "",
        "start_date": start.isoformat(),
        "end_date": each.end.isoformat() if source != "erp" else "",
        "value": str(each.value) if source != "psa" or random.random() < 0.5 else "",
        "currency": each.currency,
        "po_number": each.po_number if entity == "contract" and source != "psa" and random.random() < 0.7 else "",
    }
