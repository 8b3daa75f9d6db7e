"""How systems write companies down: each source fills, spells, cuts and mistypes in its own way.

A record takes one site of its company and one way to call it; then the source's habits are laid over the columns.
A record that would hold nothing but a weak name gets its address back: a careful human could still tell whose it is.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import slips
from arrow import chosen, joined, kept, pick, present, strictly, texts
from contacts import email_of, phone_of, website_of
from drafts import Columns, Draft, Mask, in_habit
from names import written_names

_LABELS = ("name", "trading", "tax", "registration", "website", "phone", "email", "street", "city", "postal", "country")
_EMPTY_WORDS = {
    "phone": "no_phone",
    "email": "no_mail",
    "street": "no_value",
    "website": "no_value",
    "trading": "no_value",
    "postal": "no_postal",
}
"""Column → the list of what stands in it where it should be empty."""


def write_records(draft: Draft) -> Columns:
    """Write the raw columns of one source's records."""
    draft.columns["tax"] = _tax(draft)
    draft.columns["registration"] = _registration(draft)
    draft.columns |= written_names(draft)
    draft.columns |= _address(draft)
    draft.columns["website"] = website_of(draft)
    draft.columns["phone"] = phone_of(draft)
    draft.columns["email"] = email_of(draft)
    _drop_unfilled(draft)
    _put_placeholders(draft)
    headings = zip(_LABELS, draft.profile.headings, strict=True)
    return {heading: draft.columns[name] for name, heading in headings}


def _tax(draft: Draft) -> pa.Array:
    """Write tax numbers: whose, how, and with which fault."""
    companies, company = draft.companies, draft.company
    right = draft.chance(draft.source.fill["tax"])
    in_family = companies.family[company] >= 0
    head = companies.head[company]
    sister = np.where(head == company, np.minimum(company + 1, len(companies.head) - 1), head)
    sister = np.where(companies.head[sister] == head, sister, company)
    wrong = in_family & right & (sister != company) & draft.chance(draft.profile.sibling_tax)
    stranger = right & ~wrong & draft.chance(draft.profile.wrong_tax * 0.12)
    whose = np.where(draft.marks.add("tax_sister", wrong), sister, company)
    whose = np.where(
        draft.marks.add("tax_stranger", stranger), draft.rng.integers(0, len(companies.head), draft.count), whose
    )
    number = pick(companies.tax, whose)
    ways = draft.source.tax
    way = np.array(ways)[draft.rng.integers(0, len(ways), draft.count)]
    bare = pc.replace_substring_regex(number, r"^(?:[A-Z]{2}U?)(\d)", r"\1")
    spaced = pc.replace_substring_regex(number, r"^([A-Z]{2}U?)?(\w{3})(\w{3})(\w+)$", r"\1 \2 \3 \4")
    labelled = joined(draft.drawn("tax_labels"), number)
    written = pc.utf8_trim_whitespace(pc.choose(pa.array(way), number, spaced, bare, labelled))
    slipped = draft.marks.add("tax_slip", right & ~wrong & draft.chance(draft.profile.wrong_tax * 0.5))
    written = draft.slip(written, slipped, slips.digit_slip)
    draft.marks.add("tax_missing", ~right)
    none = draft.marks.add("tax_placeholder", ~right & draft.chance(draft.profile.placeholders * 2))
    return chosen(none, draft.drawn("no_tax"), kept(written, right))


def _registration(draft: Draft) -> pa.Array:
    number = draft.of_company(draft.companies.register)
    number = draft.slip(number, draft.chance(0.006), slips.digit_slip)
    bare = pc.replace_substring_regex(number, r"[ .-]", "")
    return chosen(draft.chance(0.3), bare, number)


def _address(draft: Draft) -> Columns:
    sites, words, source = draft.companies.sites, draft.words, draft.source
    name = pick(words.streets.words, sites.street[draft.site])
    name = _abbreviated_streets(draft, name, draft.chance(source.abbreviated))
    house = pick(sites.house, draft.site)
    number_first = np.array([bool(country["number_first"]) for country in words.raw])[draft.country]
    comma = draft.chance(0.15)
    before = joined(house, chosen(comma, ", ", " "), name)
    after = joined(name, chosen(comma & (draft.chance(0.5)), ", ", " "), house)
    street = chosen(number_first, before, after)
    unit = draft.drawn("units")
    street = joined(street, kept(unit, draft.chance(0.05)))
    street = draft.mistype(street, draft.marks.add("street_typo", draft.chance(source.slips * 0.6)))
    places = sites.city[draft.site]
    others = [place.others or (place.name,) for place in words.cities]
    exonyms = [texts([names[min(way, len(names) - 1)] for names in others]) for way in (0, 1)]
    city = pick(words.places.words, places)
    other = chosen(draft.chance(0.6), pick(exonyms[0], places), pick(exonyms[1], places))
    city = chosen(draft.marks.add("city_exonym", draft.chance(source.exonyms)), other, city)
    city = draft.mistype(city, draft.marks.add("city_typo", draft.chance(source.slips * 0.3)))
    postal = draft.slip(
        pick(sites.postal, draft.site),
        draft.marks.add("postal_slip", draft.chance(source.slips * 0.25)),
        slips.digit_slip,
    )
    written = {"street": street, "city": city, "postal": postal, "country": _country(draft)}
    for column in ("street", "city"):
        written[column] = in_habit(draft, written[column])
    return written


def _abbreviated_streets(draft: Draft, name: pa.Array, mask: Mask) -> pa.Array:
    """Shorten the type of a street as its country does, each distinct street once."""
    distinct = pc.dictionary_encode(strictly(name, "\x1f", pc.cast(pa.array(draft.country), pa.string())))
    ways: list[list[str]] = [[], []]
    for value in distinct.dictionary.to_pylist():
        street, _, place = value.partition("\x1f")
        for number, way in enumerate(ways):
            way.append(_shorter(street, draft.words.raw[int(place)]["abbreviations"], number))
    short = chosen(draft.chance(0.65), texts(ways[0]).take(distinct.indices), texts(ways[1]).take(distinct.indices))
    return chosen(mask, short, name)


def _shorter(street: str, table: str, number: int) -> str:
    for row in table.split("|"):
        full, *shorts = row.split("=")
        if full in street:
            return street.replace(full, shorts[min(number, len(shorts) - 1)])
    return street


def _country(draft: Draft) -> pa.Array:
    names = draft.words.listed("names")
    ways = {
        "iso": list(draft.words.codes),
        "name": [own[0] for own in names],
        "native": [own[1] if own[1] != own[2] else own[0] for own in names],
        "iso3": [next(n for n in own if len(n) == 3 and n.isupper()) for own in names],
    }
    return pick(texts(ways[draft.source.country]), draft.country)


def _drop_unfilled(draft: Draft) -> None:
    """Leave columns empty by the source's fill, but never all that would tell whose record it is."""
    fill, columns = draft.source.fill, draft.columns
    whole = dict(columns)
    full = {name: columns[name] for name in ("street", "postal", "city")}
    with_address = draft.chance(fill["street"])
    for name in ("registration", "website", "phone", "email", "city", "country"):
        columns[name] = kept(columns[name], draft.chance(fill[name]))
    columns["street"] = kept(columns["street"], with_address)
    columns["postal"] = kept(columns["postal"], draft.chance(fill["postal"]) & (with_address | draft.chance(0.3)))
    is_weak = draft.marks.any_of("name_dba", "name_former", "name_acronym", "name_brand")
    told = (
        present(columns["tax"]) & ~draft.marks.any_of("tax_placeholder")
        | present(columns["registration"])
        | present(columns["website"])
    )
    told |= ~is_weak & (present(columns["phone"]) | present(columns["street"]) | present(columns["email"]))
    told |= present(columns["phone"]) & present(columns["street"])
    for name, column in full.items():
        columns[name] = chosen(told, columns[name], column)
    _tie_sites(draft, whole)
    for cause, name in (
        ("site_missing", "website"),
        ("phone_missing", "phone"),
        ("address_missing", "street"),
        ("country_missing", "country"),
    ):
        draft.marks.add(cause, ~present(columns[name]))


def _tie_sites(draft: Draft, whole: Columns) -> None:
    """Give most records of further sites something of their company: e-mail, web site or tax number."""
    columns = draft.columns
    away = draft.site != draft.companies.sites.first[draft.company]
    tied = present(columns["tax"]) | present(columns["registration"]) | present(columns["website"])
    tied |= present(columns["email"]) & ~draft.companies.is_served[draft.company]
    loose = away & ~tied & draft.chance(0.7)
    has_domain = present(draft.of_company(draft.companies.domain))
    by_mail = has_domain & ~draft.companies.is_served[draft.company] & draft.chance(0.6)
    columns["email"] = chosen(loose & by_mail, whole["email"], columns["email"])
    columns["website"] = chosen(loose & has_domain & ~by_mail, whole["website"], columns["website"])
    columns["tax"] = chosen(loose & ~has_domain, draft.of_company(draft.companies.tax), columns["tax"])
    draft.marks.drop("tax_missing", loose & ~has_domain)


def _put_placeholders(draft: Draft) -> None:
    """Write into empty fields what forms are fed with that insist on a value."""
    columns, share = draft.columns, draft.profile.placeholders
    for name, words in _EMPTY_WORDS.items():
        empty = ~present(columns[name]) & draft.chance(share * 3)
        columns[name] = chosen(draft.marks.add("placeholder", empty), draft.drawn(words), columns[name])
