"""The companies behind a set: names, families, numbers, contacts and sites, a block of some ten thousand at a time.

A family is several legal entities of one brand. Each member differs from the others in country, legal form, line of
business or an added word, and shares by chance domain, switchboard and street with the first of them.
"""

import re
import unicodedata
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from addresses import Sites, sites_of
from arrow import (
    chosen,
    digit_texts,
    digits_of,
    drawn,
    holds,
    joined,
    kept,
    letter_texts,
    mixed,
    pick,
    present,
    strictly,
    texts,
)
from numpy.typing import NDArray
from profiles import Profile
from tax_numbers import register_numbers, serials, tax_numbers
from vocabulary import Vocabulary

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

BRAND_KINDS = ("coined", "surname", "pair", "common", "acronym", "place", "coined_common")
SISTER_KINDS = ("head", "country", "trade", "form", "extra", "geo")
_FAMILY_SIZES = (0.5, 0.25, 0.12, 0.07, 0.04, 0.02)  # of 2, 3, … 7 companies
_TRANSLITERATED = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ł": "l", "ø": "oe", "æ": "ae", "å": "a", "đ": "d"}
)
_NOT_SLUG = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True, slots=True, eq=False)
class Tools:
    """Hold what everything is made with: the words, the shares, the chance of this block."""

    words: Vocabulary
    profile: Profile
    rng: np.random.Generator


@dataclass(frozen=True, slots=True, eq=False)
class Companies:
    """Hold a block of companies, one a row; texts are Arrow columns, null where a company has none."""

    number: Ints  # counted through all blocks
    size: Ints  # how many records it has
    country: Ints
    family: Ints  # number of the first of its family, -1 alone
    head: Ints  # row of the first of its family, or its own
    sister_kind: Ints
    brand: pa.Array
    stem: pa.Array  # the name without legal form
    form: Ints
    dba: pa.Array
    former: pa.Array
    tax: pa.Array
    register: pa.Array
    domain: pa.Array
    mailbox: pa.Array
    slug: pa.Array
    area: pa.Array
    subscriber: Ints
    is_served: Mask
    sites: Sites


@dataclass(frozen=True, slots=True, eq=False)
class _Kin:
    """Hold the shape of families: rows of one family follow each other."""

    head: Ints
    place: Ints
    kind: Ints


def make_companies(number: Ints, size: Ints, tools: Tools) -> Companies:
    """Make the companies of these numbers, which have `size` records each."""
    words, profile, rng = tools.words, tools.profile, tools.rng
    kin = _kin(len(number), profile, rng)
    country = _countries(kin, profile, rng)
    sites = sites_of((country, size, kin.head), words, profile, rng)
    brand, is_rare = _brands(kin, country, sites, tools)
    names = _names(brand, kin, country, tools)
    tax, register = _numbers(number, country, words)
    slug, domain = _domains((brand, is_rare), names, kin, (country, sites), tools)
    area, subscriber, served = _phones(number, kin, (country, sites), tools)
    return Companies(
        number=number,
        size=size,
        country=country,
        family=np.where((kin.kind > 0) | _has_sister(kin.head), number[kin.head], -1),
        head=kin.head,
        sister_kind=kin.kind,
        brand=brand,
        stem=names.stem,
        form=names.form,
        dba=_dba(brand, country, tools),
        former=_former(country, names, tools),
        tax=tax,
        register=register,
        domain=domain,
        mailbox=_mailboxes((slug, domain), country, (kin, served), tools),
        slug=slug,
        area=area,
        subscriber=subscriber,
        is_served=served >= 0,
        sites=sites,
    )


def _kin(count: int, profile: Profile, rng: np.random.Generator) -> _Kin:
    drawn = rng.choice(len(_FAMILY_SIZES), max(1, int(count * profile.families / 2.9)), p=_FAMILY_SIZES) + 2
    drawn = drawn[np.cumsum(drawn) <= count]
    starts = np.cumsum(drawn) - drawn
    head, place = np.arange(count), np.zeros(count, np.int64)
    in_family = int(drawn.sum())
    head[:in_family] = np.repeat(starts, drawn)
    place[:in_family] = np.arange(in_family) - head[:in_family]
    kind = np.where(place > 0, rng.choice(5, count, p=profile.sister_kinds) + 1, 0)
    return _Kin(head, place, kind)


def _has_sister(head: Ints) -> Mask:
    return np.bincount(head, minlength=len(head))[head] > 1


def _countries(kin: _Kin, profile: Profile, rng: np.random.Generator) -> Ints:
    shares = np.array(list(profile.countries.values()))
    drawn = rng.choice(len(shares), len(kin.head), p=shares / shares.sum())
    abroad = kin.kind == SISTER_KINDS.index("country")
    country = np.where(abroad, drawn, drawn[kin.head])
    same = abroad & (country == country[kin.head])
    country[same] = (country[same] + kin.place[same]) % len(shares)
    return country


def _brands(kin: _Kin, country: Ints, sites: Sites, tools: Tools) -> tuple[pa.Array, Mask]:
    """Draw the brand of each company, that of its family, and say which brands hardly anybody else has."""
    words, profile, rng = tools.words, tools.profile, tools.rng
    count = len(country)
    kind = rng.choice(len(BRAND_KINDS), count, p=[profile.brands[name] for name in BRAND_KINDS])
    total = words.coined_count
    rank = np.minimum((total / 50 * (51 ** rng.random(count)) - total / 50).astype(np.int64), total - 1)
    coined = words.coined(rank)
    surname = pick(words.surnames.words, words.surnames.draw(rng, country, 8.0))
    other = pick(words.surnames.words, words.surnames.draw(rng, country, 8.0))
    place = np.minimum(
        ((len(words.lists["common"]) + 12.0) / 12.0) ** rng.random(count) * 12.0 - 12.0,
        len(words.lists["common"]) - 1,
    )
    known = pick(words.lists["common"], place.astype(np.int64))
    letters = rng.integers(0, 26, (count, 4))
    acronym = pc.utf8_slice_codeunits(letter_texts(letters), 0, 3)
    acronym = chosen(rng.random(count) < 0.3, letter_texts(letters), acronym)
    between = pick(texts([" & ", " & ", " + ", " - "]), rng.integers(0, 4, count))
    makers = {
        "coined": coined,
        "surname": surname,
        "pair": joined(surname, between, other),
        "common": known,
        "acronym": acronym,
        "place": pick(words.places.words, sites.city[sites.first]),
        "coined_common": joined(coined, known, by=" "),
    }
    brand = pc.choose(pa.array(kind), *(makers[name] for name in BRAND_KINDS))
    is_rare = (kind == 2) | (kind == 6) | ((kind == 0) & (rank > total // 4))
    return pick(brand, kin.head), is_rare[kin.head]


@dataclass(frozen=True, slots=True, eq=False)
class _Names:
    stem: pa.Array
    trade: pa.Array
    form: Ints


def _names(brand: pa.Array, kin: _Kin, country: Ints, tools: Tools) -> _Names:
    """Put names together: brand, line of business, an added word, so that no two sisters are called the same."""
    words, rng = tools.words, tools.rng
    count = len(country)
    trades = words.trades
    own = trades.draw(rng, country, 6.0) - trades.starts[country]
    shift = np.where(kin.kind == SISTER_KINDS.index("trade"), 3 * kin.place + 1, 0)
    rank = (own[kin.head] + shift) % trades.sizes[country]
    abroad = country != country[kin.head]
    is_english = (rng.random(count) < 0.3)[kin.head] | (abroad & (rng.random(count) < 0.5))
    trade = chosen(
        is_english,
        pick(words.lists["english"], rank % len(words.lists["english"])),
        pick(trades.words, trades.starts[country] + rank),
    )
    bare = (rng.random(count) < 0.1)[kin.head] & (kin.kind != SISTER_KINDS.index("trade"))
    trade = kept(trade, ~bare)
    second = pick(trades.words, trades.draw(rng, country, 6.0))
    two = (rng.random(count) < 0.1)[kin.head] & ~bare
    trade = chosen(two, joined(trade, " & ", pick(second, np.where(abroad, np.arange(count), kin.head))), trade)
    form = words.forms.draw(rng, country, 1.2)
    form = np.where(abroad, form, form[kin.head])
    turned = words.forms.starts[country] + (form - words.forms.starts[country] + kin.place) % words.forms.sizes[country]
    form = np.where(kin.kind == SISTER_KINDS.index("form"), turned, form)
    geo_index = np.array([0, 0, 0, 0, 1, 2, 3])[rng.integers(0, 7, count)]
    geo_words = texts([word for words_ in words.listed("geo") for word in words_])
    geo = pick(geo_words, country * 4 + geo_index)
    geo = kept(geo, (kin.kind == SISTER_KINDS.index("geo")) | (abroad & (rng.random(count) < 0.45)))
    extra = kept(
        pick(words.lists["extras"], (kin.place + rank) % len(words.lists["extras"])),
        kin.kind == SISTER_KINDS.index("extra"),
    )
    turned_around = (rng.random(count) < 0.5)[kin.head] & np.isin(
        country, [words.codes.index(c) for c in words.codes if c in {"ES", "IT", "FR", "PL", "PT"}]
    )
    plain = joined(brand, trade, extra, geo, by=" ")
    stem = chosen(turned_around & ~is_english, joined(trade, brand, extra, geo, by=" "), plain)
    alike = pc.dictionary_encode(
        joined(stem, pc.cast(pa.array(form), pa.string()), pc.cast(pa.array(kin.head), pa.string()), by="\x1f")
    )
    codes = alike.indices.to_numpy()
    first = np.zeros(len(alike.dictionary), np.int64)
    first[codes[::-1]] = np.arange(count)[::-1]
    twin = first[codes] != np.arange(count)
    stem = chosen(twin, joined(stem, pick(words.lists["extras"], kin.place % len(words.lists["extras"])), by=" "), stem)
    return _Names(stem, trade, form)


def _dba(brand: pa.Array, country: Ints, tools: Tools) -> pa.Array:
    """Give some companies a name they trade under: the brand with another word, or another brand altogether."""
    words, profile, rng = tools.words, tools.profile, tools.rng
    count = len(country)
    total = words.coined_count
    other = words.coined((total * rng.random(count)).astype(np.int64))
    trade = pick(words.trades.words, words.trades.draw(rng, country, 6.0))
    near = joined(brand, pick(words.lists["english"], rng.integers(0, len(words.lists["english"]), count)), by=" ")
    far = joined(other, trade, by=" ")
    return kept(chosen(rng.random(count) < 0.55, near, far), rng.random(count) < profile.dba)


def _former(country: Ints, names: _Names, tools: Tools) -> pa.Array:
    words, profile, rng = tools.words, tools.profile, tools.rng
    count = len(country)
    other = pick(words.surnames.words, words.surnames.draw(rng, country, 40.0))
    coined = words.coined((words.coined_count * rng.random(count)).astype(np.int64))
    brand = chosen(rng.random(count) < 0.5, other, coined)
    return kept(joined(brand, names.trade, by=" "), rng.random(count) < profile.former)


def _numbers(number: Ints, country: Ints, words: Vocabulary) -> tuple[pa.Array, pa.Array]:
    tax, register = np.empty(len(number), object), np.empty(len(number), object)
    serial = serials(number)
    for place, code in enumerate(words.codes):
        of = country == place
        if of.any():
            written = tax_numbers(code, serial[of])
            tax[of] = written.to_numpy(zero_copy_only=False)
            register[of] = register_numbers(code, serial[of], written).to_numpy(zero_copy_only=False)
    return pa.array(tax, pa.string()), pa.array(register, pa.string())


def slugs(column: pa.Array) -> pa.Array:
    """Write names as parts of host names are written."""
    distinct = pc.dictionary_encode(column)
    made = [
        _NOT_SLUG.sub(
            "-",
            unicodedata.normalize("NFKD", name.lower().translate(_TRANSLITERATED)).encode("ascii", "ignore").decode(),
        ).strip("-")
        for name in distinct.dictionary.to_pylist()
    ]
    return texts(made).take(distinct.indices)


def _domains(
    brands: tuple[pa.Array, Mask], names: _Names, kin: _Kin, seats: tuple[Ints, Sites], tools: Tools
) -> tuple[pa.Array, pa.Array]:
    """Give each company its slug and its domain; a brand that many bear needs more than the brand in its domain."""
    words, profile, rng = tools.words, tools.profile, tools.rng
    (brand, is_rare), (country, sites) = brands, seats
    count = len(country)
    slug = slugs(brand)
    trade = pc.utf8_slice_codeunits(slugs(names.trade), 0, 14)
    city = slugs(pick(words.places.words, sites.city[sites.first]))
    number = digit_texts(digits_of(rng.integers(0, 1000, count), 3))
    letters = pc.utf8_lower(letter_texts(rng.integers(0, 26, (count, 2))))
    way = rng.integers(0, 5, count)
    wider = pc.choose(
        pa.array(way),
        joined(slug, trade, city, by="-"),
        joined(slug, trade, letters, by="-"),
        joined(slug, city, letters, by="-"),
        joined(joined(slug, trade), number),
        joined(slug, letters, trade),
    )
    rare = pc.choose(
        pa.array(way),
        slug,
        joined(slug, trade, by="-"),
        joined(slug, letters, by="-"),
        joined(slug, trade),
        joined(slug, letters),
    )
    label = chosen(is_rare, rare, wider)
    tlds = texts([tld for country_ in words.listed("tld") for tld in country_])
    tld = pick(tlds, country * 4 + np.array([0, 0, 0, 0, 1, 1, 2, 2, 2, 3])[rng.integers(0, 10, count)])
    domain = joined(label, tld, by=".")
    sister = kin.kind > 0
    draw = rng.random(count)
    shared = sister & (draw < profile.shared_domain)
    branched = sister & ~shared & (draw < profile.shared_domain + 0.25)
    own_tld = joined(pick(label, kin.head), pick(tlds, country * 4), by=".")
    domain = chosen(shared, pick(domain, kin.head), chosen(branched, own_tld, domain))
    return slug, kept(domain, rng.random(count) >= profile.no_website)


def _phones(number: Ints, kin: _Kin, seats: tuple[Ints, Sites], tools: Tools) -> tuple[pa.Array, Ints, Ints]:
    """Give area code, subscriber number and the accountant (-1 none) who answers for the company."""
    words, profile, rng = tools.words, tools.profile, tools.rng
    country, sites = seats
    count = len(country)
    areas = texts([city.area for city in words.cities])
    city = sites.city[sites.first].copy()
    subscriber = rng.integers(20_000_000, 99_999_999, count) // 10 * 10
    shares = (kin.kind > 0) & (country == country[kin.head]) & (rng.random(count) < profile.shared_phone)
    city = np.where(shares, city[kin.head], city)
    subscriber = np.where(shares, subscriber[kin.head], subscriber)
    offices = max(3, words.companies // 150)
    office = np.where(rng.random(count) < profile.served, mixed(number, 5) % offices, -1)
    # An accountant is in one place, whatever block its clients come in.
    subscriber = np.where(office >= 0, 20_000_000 + mixed(office * 64 + country, 6) % 70_000_000, subscriber)
    homes = words.places.starts[country] + mixed(office * 64 + country, 8) % 8
    return pick(areas, np.where(office >= 0, homes, city)), subscriber, office


def _mailboxes(web: tuple[pa.Array, pa.Array], country: Ints, known: tuple[_Kin, Ints], tools: Tools) -> pa.Array:
    words, profile, rng = tools.words, tools.profile, tools.rng
    (slug, domain), (kin, served) = web, known
    count = len(country)
    lists = words.listed("boxes")
    widest = max(map(len, lists))
    boxes = texts([box for own in lists for box in (own * widest)[:widest]])
    shared_box = rng.integers(0, widest, count)
    box = pick(boxes, country * widest + np.minimum(shared_box, rng.integers(0, widest, count)))
    at_domain = strictly(box, "@", domain)
    number = digit_texts(digits_of(rng.integers(0, 1000, count), 3))
    box_name = chosen(
        rng.random(count) < 0.5,
        joined(slug, number),
        joined(slug, ".", slugs(pick(words.places.words, words.places.starts[country] + rng.integers(0, 60, count)))),
    )
    free = joined(box_name, "@", drawn(words.lists["free_mail"], count, rng))
    use_free = (rng.random(count) < profile.free_mail) | ~present(domain)
    own = chosen(use_free, free, at_domain)
    office = np.maximum(served, 0)
    accountant = joined(
        "office@",
        pc.utf8_lower(letter_texts(digits_of(mixed(office * 64 + country, 9) % 10**6, 6))),
        pick(words.lists["accountants"], mixed(office, 4) % len(words.lists["accountants"])),
    )
    # Sisters of one domain often give the very same box.
    twin = (kin.kind > 0) & (rng.random(count) < 0.5) & holds(pc.equal(domain, pick(domain, kin.head)))
    own = chosen(twin, pick(own, kin.head), own)
    return chosen(served >= 0, accountant, own)
