"""The words and the bars of the age of questions are sums of the same counts."""

from mdm.decisions.ageing import AGE_DAYS, AgedCount, in_bars, in_words
from mdm.decisions.queue_model import AgeBar
from mdm.decisions.review_model import ReviewCount


def aged(place: int, count: int, *, kind: str = "unsure") -> AgedCount:
    return AgedCount("customer", kind, place, count, overdue=1, claimed=0, waiting=count)  # type: ignore[arg-type]


def test_each_bar_falls_into_one_word() -> None:
    words = [aged(place, 1).word for place in range(len(AGE_DAYS) + 1)]

    assert list(zip((*AGE_DAYS, None), words, strict=True)) == [
        (1, "day"),
        (3, "week"),
        (7, "week"),
        (14, "month"),
        (30, "month"),
        (90, "older"),
        (None, "older"),
    ]


def test_words_add_up_bars_of_one_kind() -> None:
    counts = [aged(0, 5), aged(1, 2), aged(2, 3), aged(6, 4), aged(2, 7, kind="split")]

    assert in_words(counts) == (
        ReviewCount("customer", "split", "week", 7, 1, 0, 7),
        ReviewCount("customer", "unsure", "day", 5, 1, 0, 5),
        ReviewCount("customer", "unsure", "older", 4, 1, 0, 4),
        ReviewCount("customer", "unsure", "week", 5, 2, 0, 5),
    )


def test_bars_add_up_kinds_and_show_the_empty_ones() -> None:
    bars = in_bars([aged(0, 5), aged(2, 3), aged(2, 7, kind="split")])

    assert bars[:3] == (AgeBar(1, 5, 1), AgeBar(3, 0, 0), AgeBar(7, 10, 2))
    assert [bar.count for bar in bars[3:]] == [0] * 4
