"""The words that names and addresses are made of, by country, as flat Arrow tables with the place of each country.

The vocabulary grows with the number of companies, but slower than it: surnames ∝ n^0.5, coined brands ∝ n^0.7, common
brand words not at all. So the larger the set, the more companies that have nothing to do with each other share a name.
"""

import json
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from pathlib import Path

import numpy as np
import pyarrow as pa
from arrow import joined, kept, pick, ranks, texts
from numpy.typing import NDArray
from profiles import Profile

SURNAMES_MAX = 4_000
COINED_MAX = 600_000


@dataclass(frozen=True, slots=True, eq=False)
class Ragged:
    """Hold lists of words, one for each country: list c is words[starts[c] : starts[c] + sizes[c]]."""

    words: pa.Array
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]

    def draw(self, rng: np.random.Generator, of: NDArray[np.integer], shift: float) -> NDArray[np.int64]:
        """Draw a place in `words` for each country in `of`; a small shift makes the first words very common."""
        return self.starts[of] + ranks(rng.random(len(of)), self.sizes[of], shift)


def ragged(lists: list[list[str]]) -> Ragged:
    """Lay lists out flat."""
    sizes = np.array([len(words) for words in lists])
    return Ragged(texts([word for words in lists for word in words]), np.cumsum(sizes) - sizes, sizes)


@dataclass(frozen=True, slots=True)
class City:
    """Hold a place: its name, what others call it, how its postal codes and telephone numbers begin."""

    name: str
    others: tuple[str, ...]
    postal: str
    area: str


def _grown(companies: int, growth: tuple[float, float], least: int, most: int) -> int:
    factor, power = growth
    return min(most, int(least + factor * companies**power))


class Vocabulary:
    """Hold all words of some countries, sized for a number of companies."""

    def __init__(self, profile: Profile, companies: int) -> None:
        """Read the words of a profile."""
        words, codes = profile.words, list(profile.countries)
        folder = Path(__file__).parent
        read = json.loads((folder / f"countries_{words}.json").read_text(encoding="utf-8"))
        lists = json.loads((folder / "words.json").read_text(encoding="utf-8"))[words]
        self.lists = {name: texts(list_.split("|")) for name, list_ in lists.items()}
        self.codes = codes
        self.raw = [read[code] for code in codes]
        self.companies = companies
        self.surnames_count = _grown(companies, profile.surname_growth, 20, SURNAMES_MAX)
        self.coined_count = _grown(companies, profile.coined_growth, 0, COINED_MAX)

    def listed(self, field: str) -> list[list[str]]:
        """Give the words of a field, a list for each country."""
        return [country[field].split("|") for country in self.raw]

    @cached_property
    def surnames(self) -> Ragged:
        """Give the listed surnames, the common ones, before those put together from syllables."""
        return ragged([self._surnames(country) for country in self.raw])

    def _surnames(self, country: dict[str, str]) -> list[str]:
        listed = country["surnames"].split("|")
        starts, ends = country["name_starts"].split("|"), country["name_ends"].split("|")
        made = [a + b for a, b in product(starts, ends)]
        made += [a + b.strip().lower() + c for a, b, c in product(starts, starts, ends) if a != b]
        order = np.random.default_rng(len(made)).permutation(len(made))
        words = list(dict.fromkeys(listed + [made[place] for place in order]))
        return words[: self.surnames_count]

    @cached_property
    def trades(self) -> Ragged:
        """Give words for what a company does."""
        return ragged(self.listed("trades"))

    @cached_property
    def places(self) -> Ragged:
        """Give each country's places in the order of their size, as places in `cities`."""
        return ragged([[city.name for city in cities] for cities in self._cities])

    @cached_property
    def cities(self) -> list[City]:
        """Give the places of all countries, flat."""
        return [city for cities in self._cities for city in cities]

    @cached_property
    def _cities(self) -> list[list[City]]:
        return [self._places(country) for country in self.raw]

    def _places(self, country: dict[str, str]) -> list[City]:
        cities = []
        for written in country["cities"].split("|"):
            *names, postal, area = written.split("=")
            cities.append(City(names[0], tuple(name for name in names[1:] if name), postal, area))
        pairs = list(product(country["towns"].split("|"), country["town_ends"].split("|")))
        for place in np.random.default_rng(len(pairs)).permutation(len(pairs)):
            start, end = pairs[place]
            near = cities[place % len(country["cities"].split("|"))]
            end = end[0].upper() + end[1:] if start[-1] in " -" else end
            glued = start + (end.lower() if start[-1] not in " -" and not end[0].isupper() else end)
            spaced = start + " " + end if end[0].isupper() and start[-1] not in " -" else glued
            cities.append(City(spaced.strip(), (), near.postal, near.area))
        return cities

    @cached_property
    def streets(self) -> Ragged:
        """Give the listed streets, which every town has, before those named after people."""
        lists = []
        for number, country in enumerate(self.raw):
            patterns = country["street_names"].split("|")
            names = self.surnames.words.slice(
                self.surnames.starts[number], min(400, self.surnames.sizes[number])
            ).to_pylist()
            made = [patterns[place % len(patterns)].format(name) for place, name in enumerate(names)]
            lists.append(country["streets"].split("|") + made)
        return ragged(lists)

    @cached_property
    def forms(self) -> Ragged:
        """Give each country's legal forms as registered."""
        return ragged([[form.split("=")[0] for form in country["forms"].split("|")] for country in self.raw])

    @cached_property
    def spelled_forms(self) -> list[pa.Array]:
        """Give three ways to spell each place of `forms`; the third tends to be the long one."""
        ways: list[list[str]] = [[], [], []]
        for country in self.raw:
            for form in country["forms"].split("|"):
                spellings = form.split("=")
                for number, way in enumerate(ways):
                    way.append(spellings[min(number + 1, len(spellings) - 1)])
        return [texts(way) for way in ways]

    def coined(self, rank: NDArray[np.int64]) -> pa.Array:
        """Make the coined brand of each rank: a word of three syllables."""
        onsets, middles, endings = (self.lists[part] for part in ("onsets", "middles", "endings"))
        total = len(onsets) * len(middles) * len(endings)
        code = (rank * 7_919 + 13) % total
        inner = rank // total  # the first round has no inner syllable
        parts = [
            pick(onsets, code % len(onsets)),
            pick(middles, code // len(onsets) % len(middles)),
            kept(pick(self.lists["inner"], np.maximum(inner - 1, 0)), inner > 0),
            pick(endings, code // (len(onsets) * len(middles))),
        ]
        return joined(*parts)
