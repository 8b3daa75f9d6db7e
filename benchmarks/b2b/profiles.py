"""What shares a set is made with, and the source systems of each. README.md tells what the shares mean."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Source:
    """Hold how one system keeps its records: what it fills, how it writes, how often it slips.

    fill      chance that a column is filled where the company has a value
    case      "as is", "upper" or "title"
    country   "iso", "name", "native" or "iso3"
    phone     places in the list of telephone formats, drawn evenly
    forms     chances of the legal form: as registered, spelled otherwise, left out
    """

    name: str
    share: float
    fill: dict[str, float]
    case: str = "as is"
    ascii_share: float = 0.0
    truncated_at: int | None = None
    country: str = "iso"
    phone: tuple[int, ...] = (0, 1)
    forms: tuple[float, float, float] = (0.72, 0.2, 0.08)
    tax: tuple[int, ...] = (0,)
    slips: float = 0.06
    exonyms: float = 0.1
    abbreviated: float = 0.25
    web: int = 0


@dataclass(frozen=True, slots=True)
class Profile:
    """Hold the shares of one kind of set."""

    name: str
    words: str
    countries: dict[str, float]
    sources: tuple[Source, ...]
    cluster_sizes: tuple[float, ...]
    brands: dict[str, float] = field(default_factory=dict)
    families: float = 0.28  # companies that have sisters
    shared_domain: float = 0.55
    shared_phone: float = 0.22
    shared_street: float = 0.3
    multi_site: float = 0.3
    dba: float = 0.15
    former: float = 0.05
    served: float = 0.02  # companies whose telephone and e-mail are their accountant's
    business_centre: float = 0.02
    free_mail: float = 0.14
    no_website: float = 0.2
    wrong_tax: float = 0.015
    sibling_tax: float = 0.03
    placeholders: float = 0.012
    away: float = 0.4  # records of a company with further sites that name one of these
    direct: float = 0.18  # telephone numbers that are a direct line
    personal: float = 0.3  # e-mail addresses that are a person's
    platforms: float = 0.03  # web sites that are a page on a platform
    coined_growth: tuple[float, float] = (25.0, 0.7)  # coined brands: factor and power of the number of companies
    surname_growth: tuple[float, float] = (4.0, 0.5)
    sister_kinds: tuple[float, ...] = (0.36, 0.3, 0.14, 0.12, 0.08)  # country, trade, form, extra, geo
    slip_kinds: tuple[int, ...] = (0, 1, 2, 3, 4, 5)
    headings: tuple[str, ...] = (
        *("company_name", "trading_name", "vat_number", "registration_number", "website", "phone", "email"),
        *("street", "city", "postal_code", "country"),
    )
    name_kinds: tuple[tuple[str, float], ...] = (
        *(("dba", 0.05), ("former", 0.02), ("acronym", 0.012), ("brand", 0.025), ("abbreviated", 0.05)),
        *(("site", 0.03), ("noted", 0.012), ("word_dropped", 0.015), ("word_added", 0.015), ("swapped", 0.008)),
    )


_FIRST_COUNTRIES = {
    "DE": 0.2,
    "GB": 0.14,
    "US": 0.13,
    "FR": 0.1,
    "IT": 0.08,
    "ES": 0.08,
    "NL": 0.07,
    "PL": 0.05,
    "BE": 0.05,
    "AT": 0.04,
    "CH": 0.04,
    "SE": 0.02,
}

_CRM = {
    "tax": 0.35,
    "registration": 0.12,
    "website": 0.8,
    "phone": 0.7,
    "email": 0.45,
    "street": 0.75,
    "city": 0.9,
    "postal": 0.75,
    "country": 0.97,
    "trading": 0.5,
}
_ERP = {
    "tax": 0.82,
    "registration": 0.4,
    "website": 0.25,
    "phone": 0.6,
    "email": 0.65,
    "street": 0.95,
    "city": 0.98,
    "postal": 0.96,
    "country": 0.995,
    "trading": 0.15,
}
_D365 = {
    "tax": 0.74,
    "registration": 0.45,
    "website": 0.35,
    "phone": 0.65,
    "email": 0.5,
    "street": 0.93,
    "city": 0.97,
    "postal": 0.94,
    "country": 0.99,
    "trading": 0.3,
}
_PSA = {
    "tax": 0.22,
    "registration": 0.05,
    "website": 0.6,
    "phone": 0.55,
    "email": 0.6,
    "street": 0.6,
    "city": 0.85,
    "postal": 0.6,
    "country": 0.93,
    "trading": 0.2,
}
_BILL = {
    "tax": 0.7,
    "registration": 0.3,
    "website": 0.15,
    "phone": 0.45,
    "email": 0.8,
    "street": 0.9,
    "city": 0.95,
    "postal": 0.93,
    "country": 0.98,
    "trading": 0.05,
}

FIRST = Profile(
    name="first",
    words="first",
    countries=_FIRST_COUNTRIES,
    sources=(
        Source(
            "salesforce-emea",
            0.3,
            _CRM,
            country="name",
            phone=(0, 1, 3),
            forms=(0.6, 0.22, 0.18),
            tax=(0, 1),
            slips=0.08,
            exonyms=0.25,
        ),
        Source(
            "netsuite-us",
            0.2,
            _ERP,
            case="as is",
            ascii_share=0.8,
            country="name",
            phone=(2, 5),
            forms=(0.75, 0.2, 0.05),
            tax=(0, 2),
            slips=0.04,
            exonyms=0.4,
            abbreviated=0.4,
        ),
        Source(
            "d365-emea",
            0.22,
            _D365,
            case="upper",
            ascii_share=0.3,
            truncated_at=40,
            country="iso",
            phone=(0, 2),
            forms=(0.55, 0.42, 0.03),
            tax=(0, 3),
            slips=0.04,
            exonyms=0.05,
        ),
        Source(
            "kantata",
            0.16,
            _PSA,
            country="native",
            phone=(1, 3, 4),
            forms=(0.45, 0.2, 0.35),
            tax=(0, 1, 2),
            slips=0.1,
            exonyms=0.15,
            abbreviated=0.35,
        ),
        Source(
            "certinia-fin",
            0.12,
            _BILL,
            truncated_at=32,
            ascii_share=0.15,
            country="iso3",
            phone=(4, 5),
            forms=(0.7, 0.25, 0.05),
            tax=(2, 0),
            slips=0.05,
            exonyms=0.08,
            abbreviated=0.5,
        ),
    ),
    cluster_sizes=(0.455, 0.265, 0.13, 0.068, 0.036, 0.019, 0.011, 0.007, 0.004, 0.0022, 0.0012, 0.0008, 0.0008),
    brands={
        "coined": 0.29,
        "surname": 0.24,
        "pair": 0.12,
        "common": 0.12,
        "acronym": 0.07,
        "place": 0.06,
        "coined_common": 0.1,
    },
)

_UNSEEN_COUNTRIES = {
    "FR": 0.15,
    "DE": 0.14,
    "GB": 0.12,
    "US": 0.1,
    "ES": 0.08,
    "IT": 0.08,
    "PT": 0.05,
    "CZ": 0.05,
    "DK": 0.05,
    "NL": 0.05,
    "PL": 0.04,
    "AT": 0.03,
    "IE": 0.03,
    "NO": 0.02,
    "FI": 0.01,
}
_COLUMNS = ("tax", "registration", "website", "phone", "email", "street", "city", "postal", "country", "trading")


def _fill(*shares: float) -> dict[str, float]:
    return dict(zip(_COLUMNS, shares, strict=True))


UNSEEN = Profile(
    name="unseen",
    words="unseen",
    countries=_UNSEEN_COUNTRIES,
    sources=(
        Source(
            "hubspot",
            0.22,
            _fill(0.12, 0.05, 0.85, 0.6, 0.6, 0.55, 0.85, 0.5, 0.95, 0.3),
            country="name",
            phone=(2, 0),
            forms=(0.4, 0.3, 0.3),
            tax=(0, 1),
            slips=0.09,
            exonyms=0.3,
        ),
        Source(
            "salesforce-apac",
            0.16,
            _fill(0.3, 0.15, 0.7, 0.75, 0.4, 0.85, 0.95, 0.85, 0.98, 0.5),
            ascii_share=0.5,
            phone=(0, 4),
            forms=(0.65, 0.25, 0.1),
            tax=(0, 2),
            slips=0.07,
            exonyms=0.5,
            abbreviated=0.3,
        ),
        Source(
            "acquired-sap",
            0.18,
            _fill(0.75, 0.4, 0.1, 0.6, 0.35, 0.97, 0.99, 0.98, 1.0, 0.1),
            case="upper",
            truncated_at=35,
            ascii_share=0.15,
            phone=(1, 3),
            forms=(0.8, 0.18, 0.02),
            slips=0.04,
            exonyms=0.03,
            abbreviated=0.6,
        ),
        Source(
            "navision",
            0.12,
            _fill(0.65, 0.3, 0.2, 0.7, 0.55, 0.95, 0.97, 0.95, 0.97, 0.05),
            truncated_at=50,
            country="native",
            phone=(1, 5),
            forms=(0.75, 0.2, 0.05),
            tax=(0, 2),
            slips=0.05,
            exonyms=0.08,
            abbreviated=0.5,
        ),
        Source(
            "sage-uk",
            0.1,
            _fill(0.5, 0.35, 0.15, 0.65, 0.6, 0.9, 0.95, 0.95, 0.9, 0.1),
            truncated_at=30,
            ascii_share=0.6,
            country="iso3",
            phone=(1, 0),
            forms=(0.6, 0.35, 0.05),
            tax=(2, 1),
            exonyms=0.35,
            abbreviated=0.4,
        ),
        Source(
            "openair",
            0.12,
            _fill(0.15, 0.05, 0.4, 0.4, 0.7, 0.5, 0.75, 0.45, 0.9, 0.15),
            country="name",
            phone=(0, 1, 3),
            forms=(0.35, 0.25, 0.4),
            tax=(0, 3),
            slips=0.1,
            exonyms=0.25,
        ),
        Source(
            "excel-lists",
            0.1,
            _fill(0.3, 0.2, 0.35, 0.7, 0.5, 0.75, 0.85, 0.7, 0.8, 0.2),
            ascii_share=0.2,
            country="native",
            phone=(1, 2, 3, 5),
            forms=(0.5, 0.3, 0.2),
            tax=(3, 1, 2),
            slips=0.13,
            exonyms=0.15,
            abbreviated=0.5,
        ),
    ),
    cluster_sizes=(0.49, 0.25, 0.11, 0.062, 0.034, 0.02, 0.012, 0.008, 0.005, 0.003, 0.002, 0.001, 0.001),
    brands={
        "coined": 0.24,
        "surname": 0.28,
        "pair": 0.1,
        "common": 0.15,
        "acronym": 0.08,
        "place": 0.08,
        "coined_common": 0.07,
    },
    families=0.22,
    shared_domain=0.45,
    shared_phone=0.3,
    shared_street=0.38,
    multi_site=0.4,
    dba=0.12,
    former=0.07,
    served=0.03,
    business_centre=0.04,
    free_mail=0.2,
    no_website=0.25,
    wrong_tax=0.02,
    sibling_tax=0.025,
    placeholders=0.02,
    away=0.45,
    direct=0.25,
    personal=0.4,
    platforms=0.04,
    coined_growth=(40.0, 0.65),
    surname_growth=(6.0, 0.45),
    sister_kinds=(0.28, 0.34, 0.12, 0.16, 0.1),
    slip_kinds=(0, 1, 2, 2, 4, 4, 4, 5),
    headings=(
        *("account_name", "dba", "tax_id", "company_number", "homepage", "telephone", "e-mail"),
        *("address", "town", "zip", "country_code"),
    ),
    name_kinds=(
        *(("dba", 0.04), ("former", 0.025), ("acronym", 0.02), ("brand", 0.02), ("abbreviated", 0.07)),
        *(("site", 0.04), ("noted", 0.02), ("word_dropped", 0.025), ("word_added", 0.02), ("swapped", 0.012)),
    ),
)
"""Other words, other systems, other faults: to see whether anything was tuned to the first profile."""

PROFILES = {profile.name: profile for profile in (FIRST, UNSEEN)}
