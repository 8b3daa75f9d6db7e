"""Where companies sit: a main site each, further ones for some, sisters at one address, business centres."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from arrow import chosen, digit_texts, digits_of, joined, letter_texts, mixed, pick, texts
from numpy.typing import NDArray
from profiles import Profile
from vocabulary import Vocabulary

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Sites:
    """Hold sites, those of one company after each other: company c has first[c] … first[c] + count[c] - 1."""

    first: Ints
    count: Ints
    country: Ints
    city: Ints  # place in Vocabulary.cities
    street: Ints  # place in Vocabulary.streets.words
    house: pa.Array
    postal: pa.Array


def sites_of(owners: tuple[Ints, Ints, Ints], words: Vocabulary, profile: Profile, rng: np.random.Generator) -> Sites:
    """Make the sites of companies given as (country, records, row of the family's first)."""
    country, size, head = owners
    further = (rng.random(len(size)) < profile.multi_site) & (size > 1)
    count = 1 + np.where(further, np.minimum(rng.integers(1, 4, len(size)), (size + 1) // 2), 0)
    first = np.cumsum(count) - count
    of = np.repeat(country, count)
    city = words.places.draw(rng, of, 4.0)
    street = words.streets.draw(rng, of, 15.0)
    number = (1 + 240 * rng.random(len(of)) ** 2.2).astype(np.int64)
    letter = np.where(rng.random(len(of)) < 0.07, rng.integers(1, 4, len(of)), 0)
    centred = rng.random(len(of)) < profile.business_centre
    centre = mixed(city, 21) + rng.integers(0, 3, len(of))
    street = np.where(centred, words.streets.starts[of] + mixed(centre, 22) % words.streets.sizes[of], street)
    number = np.where(centred, 1 + mixed(centre, 23) % 60, number)
    letter[centred] = 0
    sister = (
        (head != np.arange(len(head))) & (country == country[head]) & (rng.random(len(head)) < profile.shared_street)
    )
    for part in (city, street, number, letter):
        part[first[sister]] = part[first[head[sister]]]
    house = joined(pc.cast(pa.array(number), pa.string()), pick(texts(["", "a", "b", "c"]), letter))
    return Sites(first, count, of, city, street, house, _postal(of, city, street, words))


def _postal(country: Ints, city: Ints, street: Ints, words: Vocabulary) -> pa.Array:
    """Give the postal code of each street: one street of one town has one code."""
    area = mixed(city * 100_003 + street, 31)
    prefix = pick(texts([place.postal for place in words.cities]), city)
    digits = joined(prefix, digit_texts(digits_of(area % 40 * 7 + area % 3, 3)), "00")
    letters = letter_texts(np.stack([area // 101 % 26, area // 3_001 % 26], axis=1))
    code = digits
    for place, raw in enumerate(words.raw):
        pattern, of = raw["postal"], country == place
        if pattern == "@# #@@":
            district = pc.cast(pa.array(area % 28 + 1), pa.string())
            written = joined(prefix, district, " ", digit_texts(digits_of(area // 50 % 9 + 1, 1)), letters)
        elif pattern == "@## @###":
            key = pc.utf8_slice_codeunits(letters, 0, 1)
            written = joined(prefix, " ", key, digit_texts(digits_of(area // 50, 3)))
        else:
            plain, written = 0, pa.array([""] * len(country), pa.string())
            for run in pattern.replace("@@", "").replace("-", " ").split():
                piece = pc.utf8_slice_codeunits(digits, plain, plain + len(run))
                written = (
                    joined(written, piece, by="")
                    if plain == 0
                    else joined(written, "-" if "-" in pattern else " ", piece)
                )
                plain += len(run)
            written = joined(written, " ", letters) if pattern.endswith("@@") else written
        code = chosen(of, written, code)
    return code
