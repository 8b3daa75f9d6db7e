"""Word lists (words.json) behind every invented name, place and number of the demo firm.

Company names are combined from made-up stems, a trade and a legal form; persons from given and family names that
many people share. Trades stand in the order of INDUSTRIES, so that a name and the industry of a company agree.
"""

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

_WORDS: dict[str, Any] = json.loads(files("mdm.demo").joinpath("words.json").read_text(encoding="utf-8"))

INDUSTRIES: tuple[str, ...] = tuple(_WORDS["industries"])
STEMS: tuple[str, ...] = tuple(_WORDS["stems"])
ENDINGS: tuple[str, ...] = tuple(_WORDS["endings"])
SURNAMES: tuple[str, ...] = tuple(_WORDS["surnames"])
TRADES: dict[str, list[str]] = _WORDS["trades"]
GIVEN_NAMES: tuple[str, ...] = tuple(_WORDS["given_names"])
FAMILY_NAMES: tuple[str, ...] = tuple(_WORDS["family_names"])
JOB_TITLES: tuple[str, ...] = tuple(_WORDS["job_titles"])
PRACTICES: tuple[str, ...] = tuple(_WORDS["practices"])
PROJECT_SUBJECTS: tuple[str, ...] = tuple(_WORDS["project_subjects"])
PROJECT_ACTIVITIES: tuple[str, ...] = tuple(_WORDS["project_activities"])
GENERIC_TITLES: tuple[str, ...] = tuple(_WORDS["generic_titles"])
"""Titles of projects that say nothing without the client."""
CONTRACT_SUBJECTS: tuple[str, ...] = tuple(_WORDS["contract_subjects"])


@dataclass(frozen=True, slots=True)
class Country:
    """What names, addresses and numbers of one country look like.

    forms    legal forms, each with the spellings that systems hold
    cities   city, pattern of its postal codes, area code of its phones
    phone    pattern; "#" is a digit wherever a pattern stands
    """

    name: str
    native_name: str
    iso3: str
    currency: str
    language: str
    phone: str
    forms: list[list[str]]
    cities: list[list[str]]
    streets: list[str]


@dataclass(frozen=True, slots=True)
class Script:
    """How companies are called in a script beyond Latin, each word beside its Latin twin.

    pattern  how brand, trade and form make a registered name
    brands   own script, Latin
    trades   position in INDUSTRIES, own script, Latin
    """

    pattern: str
    brands: list[tuple[str, str]]
    trades: list[tuple[int, str, str]]


COUNTRIES: dict[str, Country] = {code: Country(**country) for code, country in _WORDS["countries"].items()}
SCRIPTS: dict[str, Script] = {code: Script(**script) for code, script in _WORDS["scripts"].items()}
