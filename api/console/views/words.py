"""Says numbers, bits, shares, ages and names in the reader's language.

A page has one `Words`: the locale that Babel writes numbers and dates by, and the function that translates a message.
Nothing here reads a clock: whoever asks for an age says what time it is.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from math import isfinite
from typing import Final, Literal

from babel import Locale
from babel.dates import format_date, format_skeleton, format_time, format_timedelta
from babel.numbers import format_compact_decimal, format_decimal, format_percent

from api.console.views import vocabulary
from api.console.views.vocabulary import N_

MINUS: Final = "\u2212"  # as wide as the plus, so that columns of signed numbers stand in line
_MINUTE: Final = 60
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
# From this age on, an age is told in this unit, the longest first; a month and a year as the Gregorian mean.
_AGES: Final = (
    (365.25 * _DAY, N_("%(number)s y")),
    (30.44 * _DAY, N_("%(number)s mo")),
    (_DAY, N_("%(number)s d")),
    (_HOUR, N_("%(number)s h")),
    (_MINUTE, N_("%(number)s min")),
)
_MONTHS_FROM: Final = 60 * _DAY  # chosen: "41 d" says more than "1 mo"


@dataclass(frozen=True, slots=True)
class Words:
    """Hold how a reader is spoken to.

    locale     language, and region where it matters: "en", "de", "de-CH", "ar"
    translate  gives a message in that language
    zone       the reader's time zone; None shows times in UTC
    """

    locale: Locale
    translate: Callable[[str], str] = str
    zone: tzinfo | None = None

    @property
    def direction(self) -> Literal["ltr", "rtl"]:
        """Give the direction in which the language is written."""
        return "rtl" if self.locale.text_direction == "rtl" else "ltr"

    def number(self, number: float) -> str:
        """Say a number with its thousands parted."""
        return _decimal(number, "", self.locale).replace("-", MINUS)

    def short_number(self, number: float) -> str:
        """Say a large number in few letters: 1.2M."""
        if abs(number) < 10_000:
            return self.number(number)
        return str(format_compact_decimal(number, locale=self.locale, fraction_digits=1)).replace("-", MINUS)

    def percent(self, share: float) -> str:
        """Say a share in percent; only certainty is 0 or 100."""
        hundredths = round(100 * share)
        if 0 < share < 1:
            hundredths = min(max(hundredths, 1), 99)
        return _percent(hundredths / 100, self.locale).replace("-", MINUS)

    def bits(self, bits: float) -> str:
        """Say evidence with its sign and one decimal: +7.6; nothing is 0."""
        if not isfinite(bits):
            return (MINUS if bits < 0 else "+") + "∞"
        if round(bits, 1) == 0:
            return _decimal(0, "", self.locale)
        said = _decimal(round(abs(bits), 1), "#,##0.0", self.locale)
        return (MINUS if bits < 0 else "+") + said

    def age(self, since: datetime, now: datetime) -> str:
        """Say how old something is in few letters: "3 d", "8 mo"; of what is to come, how far off it is."""
        seconds = abs((now - since).total_seconds())
        for size, message in _AGES:
            if seconds >= (_MONTHS_FROM if message == _AGES[1][1] else size):
                return self.translate(message) % {"number": self.number(int(seconds / size))}
        return self.translate(N_("now"))

    def ago(self, since: datetime, now: datetime) -> str:
        """Say how long ago something was, or in how long it will be, in whole words: "3 days ago"."""
        away = since - now
        if abs(away) < timedelta(minutes=1):
            return self.translate(N_("just now"))
        return format_timedelta(away, add_direction=True, locale=self.locale)

    def moment(self, at: datetime) -> str:
        """Say an instant: the date, and the time to the minute."""
        local = self._local(at)
        return f"{self.day(at)} {_time(local.time().replace(second=0, microsecond=0), self.locale)}"

    def day(self, on: date) -> str:
        """Say a date."""
        local = self._local(on) if isinstance(on, datetime) and self.zone else on
        return _day(local.date() if isinstance(local, datetime) else local, self.locale)

    def _local(self, at: datetime) -> datetime:
        """Give an instant by the clock of whoever reads; the last hours of the calendar, and the first, by UTC's."""
        try:
            return at.astimezone(self.zone or UTC)
        except OverflowError:
            return at.astimezone(UTC)

    def tick(self, at: datetime, unit: Literal["hour", "day", "month", "year"]) -> str:
        """Say an instant on an axis of time, to the unit; the first month of a year says the year."""
        skeleton = {"hour": "Hm", "day": "MMMd", "month": "yMMM" if at.month == 1 else "MMM", "year": "y"}[unit]
        return format_skeleton(skeleton, at, tzinfo=self.zone, locale=self.locale)

    def word(self, subject: str, name: str) -> str:
        """Say a name of the hub plainly: the rule "most_recent", the verdict "match", the relation "sister_of"."""
        said = vocabulary.message(subject, name)
        return self.translate(said) if subject != "system" and vocabulary.is_known(subject, name) else said


@lru_cache(8_192)
def _decimal(number: float, pattern: str, locale: Locale) -> str:
    """Write a number; a page says the same few numbers over and over, and Babel takes 50 µs for each."""
    return str(format_decimal(number, format=pattern or None, locale=locale))


@lru_cache(2_048)
def _day(on: date, locale: Locale) -> str:
    """Write a date; the values of a page come of few days."""
    return str(format_date(on, "medium", locale=locale))


@lru_cache(1_440)
def _time(at: time, locale: Locale) -> str:
    return str(format_time(at, "short", locale=locale))


@lru_cache(512)
def _percent(share: float, locale: Locale) -> str:
    return str(format_percent(share, locale=locale))


@lru_cache(256)
def words(locale: str, translate: Callable[[str], str] = str, zone: tzinfo | None = None) -> Words:
    """Make the words of a locale such as "en", "de" or "de-CH"; Babel takes 50 µs to read a locale."""
    return Words(Locale.parse(locale, sep="-" if "-" in locale else "_"), translate, zone)
