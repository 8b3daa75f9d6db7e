"""Children stand below their parents, each record once, whatever the parents say."""

from hypothesis import given, settings
from hypothesis import strategies as st

from api.console.drawings.tree import DEPTH_MAX, ROWS_MAX, Branch, tree

FEW = settings(max_examples=40)  # each is a second of all runs

KEYS = st.sampled_from("abcdefgh")


@FEW
@given(st.dictionaries(KEYS, KEYS | st.just("")))
def test_every_record_stands_there_once_even_in_a_circle(parents: dict[str, str]) -> None:
    grown = tree([Branch(key, parent, key) for key, parent in parents.items()])

    assert sorted(row.branch.key for row in grown.rows) == sorted(parents)


def test_lines_lead_from_parents_to_children() -> None:
    grown = tree(
        [
            Branch("a", "", "A"),
            Branch("b", "a", "B"),
            Branch("c", "b", "C"),
            Branch("d", "a", "D"),
            Branch("x", "gone", "X"),
        ],
        here="c",
    )

    assert [(row.branch.key, row.rails, row.is_here) for row in grown.rows] == [
        ("a", (), False),
        ("b", ("tee",), False),
        ("c", ("pass", "end"), True),
        ("d", ("end",), False),
        ("x", (), False),
    ]


def test_a_deep_and_a_long_hierarchy_are_bounded() -> None:
    deep = tree([Branch(str(n), str(n - 1), "x") for n in range(1, 51)])
    long = tree([Branch(str(n), "", "x") for n in range(ROWS_MAX + 7)])

    assert max(row.depth for row in deep.rows) == DEPTH_MAX
    assert (len(long.rows), long.left_out) == (ROWS_MAX, 7)
