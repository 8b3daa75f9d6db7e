"""How systems write companies down: each source fills, spells, cuts and mistypes in its own way.

A record takes one site of its company and one way to call it; then the source's habits are laid over the columns.
A record that would hold nothing but a weak name gets its address back: a careful human could still tell whose it is.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import slips
from arrow import chosen, digit_texts, digits_of, edited, joined, kept, mixed, pick, present, strictly, texts
from causes import Marks
from companies import Companies, Tools
from names import written_names
from numpy.typing import NDArray
from profiles import Source

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Columns = dict[str, pa.Array]

HEADINGS = {
    "name": "company_name",
    "trading": "trading_name",
    "tax": "vat_number",
    "registration": "registration_number",
    "website": "website",
    "phone": "phone",
    "email": "email",
    "street": "street",
    "city": "city",
    "postal": "postal_code",
    "country": "country",
}
"""Our word for a column → its heading in the file, a synonym that the customer declaration knows."""

_NOTHING = ("N/A", "unknown", "n/a", "-", "TBD", "none", "xxx", ".")
_NO_TAX = (
    "N/A",
    "000000000",
    "DE000000000",
    "999999999",
    "unknown",
    "pending",
    "123456789",
    "applied for",
    "ES00000000",
)
_NO_PHONE = ("000000", "0000000000", "N/A", "-", "123456", "+49 000 000000")
_NO_MAIL = ("noreply@example.com", "n/a@n.a", "unknown@unknown.com", "none@none.com", "test@test.com")
_PEOPLE = [
    "anna",
    "ben",
    "clara",
    "david",
    "eva",
    "felix",
    "greta",
    "hugo",
    "ida",
    "jan",
    "karin",
    "leo",
    "maria",
    "nina",
    "oscar",
    "paul",
    "rosa",
    "sam",
    "tina",
    "uwe",
    "vera",
    "willi",
]
_NATIONAL_LENGTH = {
    "DE": 10,
    "AT": 10,
    "CH": 9,
    "FR": 9,
    "GB": 10,
    "NL": 9,
    "BE": 8,
    "ES": 9,
    "IT": 10,
    "PL": 9,
    "SE": 9,
    "US": 10,
}


class Draft:
    """Hold one source's part of a block while it is written: whose records, their columns, their causes."""

    def __init__(self, source: Source, company: Ints, companies: Companies, tools: Tools) -> None:
        """Begin with the companies' rows of the records."""
        self.source, self.company, self.companies = source, company, companies
        self.words, self.profile, self.rng = tools.words, tools.profile, tools.rng
        self.count = len(company)
        self.country = companies.country[company]
        self.marks = Marks(self.count)
        self.columns: Columns = {}
        further = companies.sites.count[company] > 1
        away = further & (self.rng.random(self.count) < 0.4)
        step = 1 + (self.rng.random(self.count) * np.maximum(companies.sites.count[company] - 1, 1)).astype(np.int64)
        self.site = companies.sites.first[company] + np.where(
            away, np.minimum(step, companies.sites.count[company] - 1), 0
        )
        self.marks.add("other_site", away)

    def of_company(self, column: pa.Array) -> pa.Array:
        """Take a column of the companies for the records."""
        return pick(column, self.company)

    def chance(self, share: float) -> Mask:
        """Draw which records something happens to."""
        return self.rng.random(self.count) < share

    def slip(self, column: pa.Array, mask: Mask, function: Callable[[str, int], str]) -> pa.Array:
        """Let a slip happen to the masked values that are there."""
        mask = mask & present(column)
        return edited(column, mask, slips.each(function, self.rng.integers(0, 1 << 40, int(mask.sum())).tolist()))


def write_records(draft: Draft) -> Columns:
    """Write the raw columns of one source's records."""
    draft.columns["tax"] = _tax(draft)
    draft.columns["registration"] = _registration(draft)
    draft.columns |= written_names(draft)
    draft.columns |= _address(draft)
    draft.columns["website"] = _website(draft)
    draft.columns["phone"] = _phone(draft)
    draft.columns["email"] = _email(draft)
    _drop_unfilled(draft)
    _put_placeholders(draft)
    return {HEADINGS[name]: draft.columns[name] for name in HEADINGS}


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
    labelled = joined(
        pick(texts(["VAT ", "USt-IdNr. ", "Tax ID: ", ""]), draft.rng.integers(0, 4, draft.count)), number
    )
    written = pc.utf8_trim_whitespace(pc.choose(pa.array(way), number, spaced, bare, labelled))
    slipped = draft.marks.add("tax_slip", right & ~wrong & draft.chance(draft.profile.wrong_tax * 0.5))
    written = draft.slip(written, slipped, slips.digit_slip)
    draft.marks.add("tax_missing", ~right)
    none = draft.marks.add("tax_placeholder", ~right & draft.chance(draft.profile.placeholders * 2))
    return chosen(none, pick(texts(_NO_TAX), draft.rng.integers(0, len(_NO_TAX), draft.count)), kept(written, right))


def _registration(draft: Draft) -> pa.Array:
    number = draft.of_company(draft.companies.register)
    number = draft.slip(number, draft.chance(0.006), slips.digit_slip)
    bare = pc.replace_substring_regex(number, r"[ .-]", "")
    return chosen(draft.chance(0.3), bare, number)


def _address(draft: Draft) -> Columns:
    sites, words, source, rng = draft.companies.sites, draft.words, draft.source, draft.rng
    name = pick(words.streets.words, sites.street[draft.site])
    name = _abbreviated_streets(draft, name, draft.chance(source.abbreviated))
    house = pick(sites.house, draft.site)
    number_first = np.array([bool(country["number_first"]) for country in words.raw])[draft.country]
    comma = draft.chance(0.15)
    before = joined(house, chosen(comma, ", ", " "), name)
    after = joined(name, chosen(comma & (draft.chance(0.5)), ", ", " "), house)
    street = chosen(number_first, before, after)
    unit = pick(
        texts([", 2nd Floor", ", Suite 300", " / Top 5", ", Building B", ", 3. OG", ", Office 12"]),
        rng.integers(0, 6, draft.count),
    )
    street = joined(street, kept(unit, draft.chance(0.05)))
    street = draft.slip(street, draft.marks.add("street_typo", draft.chance(source.slips * 0.6)), slips.mistyped)
    places = sites.city[draft.site]
    others = [place.others or (place.name,) for place in words.cities]
    exonyms = [texts([names[min(way, len(names) - 1)] for names in others]) for way in (0, 1)]
    city = pick(words.places.words, places)
    other = chosen(draft.chance(0.6), pick(exonyms[0], places), pick(exonyms[1], places))
    city = chosen(draft.marks.add("city_exonym", draft.chance(source.exonyms)), other, city)
    city = draft.slip(city, draft.marks.add("city_typo", draft.chance(source.slips * 0.3)), slips.mistyped)
    postal = draft.slip(
        pick(sites.postal, draft.site),
        draft.marks.add("postal_slip", draft.chance(source.slips * 0.25)),
        slips.digit_slip,
    )
    written = {"street": street, "city": city, "postal": postal, "country": _country(draft)}
    for column in ("street", "city"):
        written[column] = in_habit(draft, written[column])
    return written


def capitals(column: pa.Array) -> pa.Array:
    """Write in capitals, ß as SS."""
    return pc.replace_substring(pc.utf8_upper(column), "ẞ", "SS")


def in_habit(draft: Draft, column: pa.Array) -> pa.Array:
    """Lay a source's letter case and alphabet over a column."""
    source = draft.source
    if source.ascii_share:
        german = np.array([code in {"DE", "AT", "CH"} for code in draft.words.codes])[draft.country]
        plain = draft.chance(source.ascii_share)
        column = edited(column, plain & german, lambda values: [slips.plain_german(value) for value in values])
        column = edited(column, plain & ~german, lambda values: [slips.plain(value) for value in values])
    return capitals(column) if source.case == "upper" else column


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


def _website(draft: Draft) -> pa.Array:
    rng = draft.rng
    domain = draft.of_company(draft.companies.domain)
    before = pick(
        texts(["www.", "https://www.", "", "http://", "https://", "http://www."]), rng.integers(0, 6, draft.count)
    )
    after = pick(
        texts(["", "", "", "/", "/en", "/de/kontakt", "/index.html", "/home?utm_source=crm"]),
        rng.integers(0, 8, draft.count),
    )
    site = strictly(pc.fill_null(before, ""), domain, pc.fill_null(after, ""))
    platform = draft.chance(0.03)
    page = joined(
        pick(
            texts(
                [
                    "https://www.facebook.com/",
                    "https://www.linkedin.com/company/",
                    "facebook.com/",
                    "https://www.instagram.com/",
                ]
            ),
            rng.integers(0, 4, draft.count),
        ),
        draft.of_company(draft.companies.slug),
    )
    return chosen(draft.marks.add("site_platform", platform), page, site)


def _phone(draft: Draft) -> pa.Array:
    companies, rng = draft.companies, draft.rng
    code = [country["calling"] for country in draft.words.raw]
    trunk = [country["trunk"] for country in draft.words.raw]
    subscriber = companies.subscriber[draft.company]
    served = draft.marks.add("contact_served", companies.is_served[draft.company])
    direct = draft.marks.add("phone_direct", ~served & draft.chance(0.18))
    subscriber = np.where(direct, subscriber + 1 + rng.integers(0, 9, draft.count), subscriber)
    away = draft.site != companies.sites.first[draft.company]
    own_line = away & draft.chance(0.6)
    subscriber = np.where(
        own_line, 20_000_000 + mixed(draft.site * 1_000 + companies.number[draft.company], 41) % 79_000_000, subscriber
    )
    areas = texts([place.area for place in draft.words.cities])
    area = chosen(own_line, pick(areas, companies.sites.city[draft.site]), draft.of_company(companies.area))
    length = np.array([_NATIONAL_LENGTH[code_] for code_ in draft.words.codes])[draft.country]
    width = length - pc.utf8_length(area).to_numpy()
    full = digit_texts(digits_of(subscriber, 8))
    local = full
    for size in np.unique(width).tolist():
        local = chosen(width == size, pc.utf8_slice_codeunits(full, max(8 - size, 0), 8), local)
    country_code, zero = pick(texts(code), draft.country), pick(pa.array(trunk, pa.string()), draft.country)
    halves = joined(pc.utf8_slice_codeunits(local, 0, 3), " ", pc.utf8_slice_codeunits(local, 3))
    formats = (
        joined("+", country_code, " ", area, " ", local),
        joined(zero, area, " ", halves),
        joined("+", country_code, area, local),
        joined(zero, area, "/", local),
        joined("+", country_code, " (", zero, ")", area, " ", halves),
        joined("00", country_code, " ", area, " ", halves),
    )
    ways = np.array(draft.source.phone)[rng.integers(0, len(draft.source.phone), draft.count)]
    written = pc.choose(pa.array(ways), *formats)
    written = pc.replace_substring(written, " ()", " ")
    return draft.slip(written, draft.marks.add("phone_slip", draft.chance(draft.source.slips * 0.15)), slips.digit_slip)


def _email(draft: Draft) -> pa.Array:
    companies, rng = draft.companies, draft.rng
    box = draft.of_company(companies.mailbox)
    domain = draft.of_company(companies.domain)
    person = joined(
        pick(texts(_PEOPLE), rng.integers(0, len(_PEOPLE), draft.count)),
        ".",
        pick(draft.words.surnames.words, draft.words.surnames.draw(rng, draft.country, 30.0)),
    )
    person = edited(
        person,
        np.ones(draft.count, bool),
        lambda values: [slips.plain_german(value).lower().replace(" ", "").replace("'", "") for value in values],
    )
    personal = draft.chance(0.3) & present(domain)
    written = chosen(draft.marks.add("mail_personal", personal), joined(person, "@", domain), box)
    draft.marks.add(
        "mail_free",
        ~personal
        & pc.match_substring_regex(
            box, r"@(gmail|outlook|hotmail|yahoo|gmx|web|icloud|orange|libero|wp|proton)\."
        ).to_numpy(zero_copy_only=False),
    )
    return draft.slip(written, draft.chance(draft.source.slips * 0.1), slips.mistyped)


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
    columns, rng = draft.columns, draft.rng
    share = draft.profile.placeholders
    for name, list_ in (
        ("phone", _NO_PHONE),
        ("email", _NO_MAIL),
        ("street", _NOTHING),
        ("website", _NOTHING),
        ("trading", _NOTHING),
        ("postal", ("00000", "99999", "-", "xxxxx")),
    ):
        empty = ~present(columns[name]) & draft.chance(share * 3)
        columns[name] = chosen(
            draft.marks.add("placeholder", empty),
            pick(texts(list_), rng.integers(0, len(list_), draft.count)),
            columns[name],
        )
