"""A draft: one source's part of a block while it is written, with the chances and slips that all columns use."""

from collections.abc import Callable
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import slips
from arrow import drawn, edited, pick, present
from causes import Marks
from companies import Companies, Tools
from numpy.typing import NDArray
from profiles import Source

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Columns = dict[str, pa.Array]


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
        away = further & (self.rng.random(self.count) < self.profile.away)
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

    def drawn(self, name: str) -> pa.Array:
        """Draw a word of one of the profile's lists for each record."""
        return drawn(self.words.lists[name], self.count, self.rng)

    def mistype(self, column: pa.Array, mask: Mask) -> pa.Array:
        """Let a slip of the profile's kinds happen to the masked values."""
        return self.slip(column, mask, partial(slips.mistyped, kinds=self.profile.slip_kinds))

    def slip(self, column: pa.Array, mask: Mask, function: Callable[[str, int], str]) -> pa.Array:
        """Let a slip happen to the masked values that are there."""
        mask = mask & present(column)
        return edited(column, mask, slips.each(function, self.rng.integers(0, 1 << 40, int(mask.sum())).tolist()))


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
