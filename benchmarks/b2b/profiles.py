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
    english: float = 0.3
    wrong_tax: float = 0.015
    sibling_tax: float = 0.03
    placeholders: float = 0.012
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

PROFILES = {profile.name: profile for profile in (FIRST,)}
