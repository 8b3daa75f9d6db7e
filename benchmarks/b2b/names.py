"""How a source calls a company: which of its names, which spelling of the legal form, which slips."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import slips
from arrow import chosen, edited, holds, joined, kept, pick, present
from drafts import Draft, Mask


def written_names(draft: Draft) -> dict[str, pa.Array]:
    """Write the name and the trading name of each record."""
    companies, rng = draft.companies, draft.rng
    kind, shares = np.full(draft.count, -1), dict(draft.profile.name_kinds)
    draw, reached = rng.random(draft.count), 0.0
    for place, share in enumerate(shares.values()):
        kind[(draw >= reached) & (draw < reached + share)] = place
        reached += share
    by_kind = {name: kind == place for place, name in enumerate(shares)}
    stem, brand = draft.of_company(companies.stem), draft.of_company(companies.brand)
    dba, former = draft.of_company(companies.dba), draft.of_company(companies.former)
    by_kind["dba"] = present(dba) & draft.chance(shares["dba"] / draft.profile.dba * 0.7)
    by_kind["former"] = present(former) & draft.chance(shares["former"] / draft.profile.former * 0.5)
    named = chosen(draft.marks.add("name_dba", by_kind["dba"]), dba, stem)
    named = chosen(draft.marks.add("name_former", by_kind["former"] & ~by_kind["dba"]), former, named)
    named = chosen(draft.marks.add("name_brand", by_kind["brand"] & (brand_tells(draft))), brand, named)
    named = _reworded(draft, named, by_kind)
    bare = by_kind["dba"] | by_kind["brand"] | (by_kind["acronym"] & draft.chance(0.5))
    name = joined(named, _forms(draft, bare), by=" ")
    name = _annotated(draft, name, by_kind)
    trading = kept(
        chosen(present(dba), dba, kept(stem, draft.chance(0.35))), draft.chance(draft.source.fill["trading"])
    )
    return {"name": _in_habit(draft, name, mistype=True), "trading": _in_habit(draft, trading, mistype=False)}


def brand_tells(draft: Draft) -> Mask:
    """Tell where the brand alone may stand for the company: where it has no sister."""
    return draft.companies.family[draft.company] < 0


def _reworded(draft: Draft, named: pa.Array, by_kind: dict[str, Mask]) -> pa.Array:
    marks = draft.marks
    short = dict(pair.split("=") for pair in draft.words.lists["short"].to_pylist())
    before = named
    named = edited(named, by_kind["acronym"], lambda values: [slips.acronym(value) for value in values])
    marks.add("name_acronym", by_kind["acronym"] & _changed(before, named))
    before = named
    named = edited(
        named,
        by_kind["abbreviated"] | draft.chance(0.02),
        lambda values: [_abbreviated(value, short) for value in values],
    )
    marks.add("name_abbreviated", _changed(before, named))
    before = named
    named = draft.slip(named, by_kind["word_dropped"] & brand_tells(draft), slips.word_dropped)
    marks.add("name_word_dropped", _changed(before, named))
    before = named
    named = draft.slip(named, by_kind["swapped"], slips.words_swapped)
    marks.add("name_swapped", _changed(before, named))
    added = marks.add("name_word_added", by_kind["word_added"] & brand_tells(draft))
    return joined(named, kept(draft.drawn("added"), added))


def _changed(before: pa.Array, after: pa.Array) -> Mask:
    return holds(pc.not_equal(before, after))


def _abbreviated(name: str, table: dict[str, str]) -> str:
    parts = name.split(" ")
    short = [table.get(part, part) for part in parts]
    if short == parts and len(parts) > 1 and len(parts[-1]) > 6:
        short[-1] = parts[-1][:4] + "."
    return " ".join(short)


def _forms(draft: Draft, bare: Mask) -> pa.Array:
    """Spell each record's legal form, or leave it out; a sister is told from her sisters by form or tax number."""
    companies, words, rng = draft.companies, draft.words, draft.rng
    form = companies.form[draft.company]
    _, otherwise, missing = draft.source.forms
    draw = rng.random(draft.count)
    needed = (companies.family[draft.company] >= 0) & draft.marks.any_of("tax_missing")
    left_out = draft.marks.add("form_missing", ((draw < missing) & ~needed) | bare)
    other = draft.marks.add("form_other_spelling", (draw >= missing) & (draw < missing + otherwise) & ~left_out)
    way = np.array([0, 0, 0, 1, 1, 2])[rng.integers(0, 6, draft.count)]
    spelled = pc.choose(pa.array(way), *(pick(spelling, form) for spelling in words.spelled_forms))
    return kept(chosen(other, spelled, pick(words.forms.words, form)), ~left_out)


def _annotated(draft: Draft, name: pa.Array, by_kind: dict[str, Mask]) -> pa.Array:
    city = pick(draft.words.places.words, draft.companies.sites.city[draft.site])
    at_site = draft.marks.add("name_site", by_kind["site"] & (draft.companies.sites.count[draft.company] > 1))
    between = draft.drawn("site_joints")
    closing = kept(pa.array([")"] * draft.count), holds(pc.ends_with(between, "(")))
    name = joined(name, kept(joined(between, city, closing), at_site))
    noted = draft.marks.add("name_noted", by_kind["noted"])
    return joined(name, kept(draft.drawn("notes"), noted))


def _in_habit(draft: Draft, name: pa.Array, *, mistype: bool) -> pa.Array:
    """Lay slips, alphabet, case and the length of the field over names."""
    source, marks = draft.source, draft.marks
    slipped = draft.chance(source.slips if mistype else source.slips / 2)
    name = draft.mistype(name, slipped)
    twice = slipped & draft.chance(0.15)
    name = draft.mistype(name, twice)
    german = np.array([code in {"DE", "AT", "CH"} for code in draft.words.codes])[draft.country]
    plain = draft.chance(source.ascii_share + 0.03)
    before = name
    name = edited(name, plain & german, lambda values: [slips.plain_german(value) for value in values])
    name = edited(name, plain & ~german, lambda values: [slips.plain(value) for value in values])
    ascii_made = _changed(before, name)
    before = name
    name = edited(name, draft.chance(0.004), lambda values: [slips.garbled(value) for value in values])
    garbled = _changed(before, name)
    upper = draft.chance(1.0 if source.case == "upper" else 0.05)
    name = chosen(upper, pc.replace_substring(pc.utf8_upper(name), "ẞ", "SS"), name)
    lower = draft.chance(0.01)
    name = chosen(lower & ~upper, pc.utf8_lower(name), name)
    before = name
    if source.truncated_at:
        name = pc.utf8_rtrim_whitespace(pc.utf8_slice_codeunits(name, 0, source.truncated_at))
    if mistype:
        marks.add("name_typo", slipped)
        marks.add("name_ascii", ascii_made)
        marks.add("name_garbled", garbled)
        marks.add("name_upper", upper)
        marks.add("name_truncated", _changed(before, name))
    return name
