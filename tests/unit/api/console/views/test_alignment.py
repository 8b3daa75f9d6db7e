"""Two rows are lined up by what is equal in order; likeness pairs the rest; both are bounded."""

from hypothesis import given, settings
from hypothesis import strategies as st

from api.console.views import alignment
from api.console.views.alignment import aligned, alike, moved

FEW = settings(max_examples=40)  # each is a second of all runs

ROWS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=12)


@FEW
@given(ROWS, ROWS)
def test_equal_places_and_gaps_cover_both_rows_in_order(left: list[str], right: list[str]) -> None:
    found = aligned(left, right)

    spans = [((here, here + 1), (there, there + 1)) for here, there in found.equal] + list(found.gaps)
    covered = sorted(spans)
    assert [place for ours, _ in covered for place in range(*ours)] == list(range(len(left)))
    assert [place for _, theirs in covered for place in range(*theirs)] == list(range(len(right)))
    assert all(left[here] == right[there] for here, there in found.equal)


def test_like_words_are_paired_in_order_for_the_most_likeness() -> None:
    # sara-sarah 8/9 and smith-smyth 8/10 together outweigh sara-sara 1 alone, which would leave smith no partner.
    assert alike(["sara", "smith"], ["sarah", "smyth", "sara"]) == [(0, 0), (1, 1)]


def test_words_that_moved_are_paired_the_most_alike_first() -> None:
    assert moved(["sarah", "smith"], ["smith", "sara"]) == [(0, 1), (1, 0)]
    assert moved(["hochbau"], ["bau", "hoch"]) == [(0, 1)]
    assert moved(["a"] * 30, ["a"] * 30) == []


def test_words_that_share_a_letter_are_not_alike() -> None:
    assert alike(["4"], ["4rd"]) == []
    assert alike([], ["a"]) == []


def test_too_many_words_are_lined_up_from_both_ends() -> None:
    middle = [str(number) for number in range(alignment.WORDS_MAX)]

    found = aligned(["a", *middle, "z"], ["a", "b", *reversed(middle), "z"])

    assert found.equal == ((0, 0), (len(middle) + 1, len(middle) + 2))
    assert found.gaps == (((1, len(middle) + 1), (1, len(middle) + 2)),)
