"""Why rules are not activated: what they would make of the hub's records looks wrong. Pure.

Each bound is generous: it stops a model that learnt from a few odd labels or a wrong column, not one that is bold.
"""

from dataclasses import dataclass
from typing import Final

from mdm.modelling.trial import Trial

LARGEST_TIMES: Final = 3.0  # chosen: a true family of records grows by a few, nonsense by hundreds
LARGEST_MIN: Final = 12  # chosen: below it nobody is hurt
CHANGED_SHARE: Final = 0.2  # chosen: one golden record in five
CHANGED_MIN: Final = 10
MATCHES_TIMES: Final = 3.0  # chosen
MATCHES_MIN: Final = 100
REFUSED_SHARE: Final = 0.2  # chosen: joins that contradict identifiers
AGAINST_SHARE: Final = 0.1  # chosen: one decision in ten
AGAINST_MIN: Final = 3


@dataclass(frozen=True, slots=True)
class Agreement:
    """How rules judge the pairs that stewards decided: those it would join or leave apart alone, against them."""

    different: int
    joined_against: int
    same: int
    left_against: int


def reasons_against(before: Trial, after: Trial, agreement: Agreement) -> tuple[str, ...]:
    """Say in a sentence each what speaks against rules, compared with those that hold now on the same records."""
    was, now = before.figures, after.figures
    goldens = max(1, was.goldens)
    found = [
        (
            now.largest > max(LARGEST_MIN, LARGEST_TIMES * was.largest),
            f"the largest golden record would have {now.largest:,} records, {was.largest:,} by the rules that hold",
        ),
        (
            after.joined > max(CHANGED_MIN, before.joined + CHANGED_SHARE * goldens),
            f"{after.joined:,} of {goldens:,} golden records would go up in others",
        ),
        (
            after.split > max(CHANGED_MIN, before.split + CHANGED_SHARE * goldens),
            f"{after.split:,} of {goldens:,} golden records would fall apart",
        ),
        (
            now.matches > max(MATCHES_MIN, MATCHES_TIMES * was.matches),
            f"{now.matches:,} pairs would match, {was.matches:,} by the rules that hold",
        ),
        (
            was.matches > max(MATCHES_MIN, MATCHES_TIMES * now.matches),
            f"only {now.matches:,} pairs would match, {was.matches:,} by the rules that hold",
        ),
        (
            now.refused > max(CHANGED_MIN, was.refused + REFUSED_SHARE * max(1, now.matches)),
            f"{now.refused:,} of {now.matches:,} joins would contradict identifiers, {was.refused:,} do now",
        ),
        (
            agreement.joined_against > max(AGAINST_MIN, AGAINST_SHARE * agreement.different),
            f"{agreement.joined_against:,} of {agreement.different:,} pairs decided different would be joined unasked",
        ),
        (
            agreement.left_against > max(AGAINST_MIN, AGAINST_SHARE * agreement.same),
            f"{agreement.left_against:,} of {agreement.same:,} pairs decided the same would not be asked about",
        ),
    ]
    return tuple(sentence for holds, sentence in found if holds)
