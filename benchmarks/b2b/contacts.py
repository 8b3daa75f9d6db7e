"""How a source writes web sites, telephone numbers and e-mail addresses."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import slips
from arrow import chosen, digit_texts, digits_of, edited, holds, joined, mixed, pick, present, strictly, texts
from drafts import Draft

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
    "IE": 9,
    "PT": 9,
    "DK": 8,
    "NO": 8,
    "FI": 9,
    "CZ": 9,
}
"""Digits of a number without country code and trunk prefix, area included; the usual length."""


def website_of(draft: Draft) -> pa.Array:
    """Write web addresses in their many spellings, some of them a page on a platform."""
    rng = draft.rng
    domain = draft.of_company(draft.companies.domain)
    before = pick(
        texts(["www.", "https://www.", "", "http://", "https://", "http://www."]), rng.integers(0, 6, draft.count)
    )
    after = draft.drawn("paths")
    site = strictly(pc.fill_null(before, ""), domain, pc.fill_null(after, ""))
    platform = draft.chance(draft.profile.platforms)
    page = joined(draft.drawn("platforms"), draft.of_company(draft.companies.slug))
    return chosen(draft.marks.add("site_platform", platform), page, site)


def phone_of(draft: Draft) -> pa.Array:
    """Write telephone numbers: the switchboard, a direct line, the line of another site, an accountant's."""
    companies, rng = draft.companies, draft.rng
    code = [country["calling"] for country in draft.words.raw]
    trunk = [country["trunk"] for country in draft.words.raw]
    subscriber = companies.subscriber[draft.company]
    served = draft.marks.add("contact_served", companies.is_served[draft.company])
    direct = draft.marks.add("phone_direct", ~served & draft.chance(draft.profile.direct))
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


def email_of(draft: Draft) -> pa.Array:
    """Write e-mail addresses: the company's box, a person's, a free one, an accountant's."""
    companies, rng = draft.companies, draft.rng
    box = draft.of_company(companies.mailbox)
    domain = draft.of_company(companies.domain)
    person = joined(
        draft.drawn("people"),
        ".",
        pick(draft.words.surnames.words, draft.words.surnames.draw(rng, draft.country, 30.0)),
    )
    person = edited(
        person,
        np.ones(draft.count, bool),
        lambda values: [slips.plain_german(value).lower().replace(" ", "").replace("'", "") for value in values],
    )
    personal = draft.chance(draft.profile.personal) & present(domain)
    written = chosen(draft.marks.add("mail_personal", personal), joined(person, "@", domain), box)
    draft.marks.add(
        "mail_free",
        ~personal & holds(pc.is_in(pc.replace_substring_regex(box, "^.*@", ""), draft.words.lists["free_mail"])),
    )
    return draft.mistype(written, draft.chance(draft.source.slips * 0.1))
