"""Cases of the law of clusters that a reader can follow; the law itself is in tests/properties."""

import numpy as np

from matching.cluster import Edges, Proposal, hold, propose, propose_counting
from matching.model import Veto
from matching.online import conflict_signatures
from tests.unit.matching.models import company_model, forms_of

KEYS = ["d", "c", "b", "a"]


def edges(*rows: tuple[int, int, float]) -> Edges:
    left, right, bits = zip(*rows, strict=True)
    return Edges(np.array(left, np.int32), np.array(right, np.int32), np.array(bits, np.float64))


def pairs(*rows: tuple[int, int]) -> np.ndarray:
    return np.array(rows, dtype=np.int32).reshape(-1, 2)


def test_a_label_is_the_member_with_the_smallest_key() -> None:
    assert propose(KEYS, edges((0, 1, 5.0), (1, 2, 4.0))).tolist() == [2, 2, 2, 3]


def test_the_strongest_edge_joins_and_the_weaker_is_refused() -> None:
    chain = edges((0, 1, 4.0), (1, 2, 5.0))

    labels, refused = propose_counting(KEYS, chain, conflicts=pairs((0, 2)))

    assert labels.tolist() == [0, 2, 2, 3]
    assert refused.tolist() == [0]


def test_ties_end_at_the_source_keys() -> None:
    """Edges b-c and c-d are as strong; b-c comes first, as ("b", "c") sorts before ("c", "d")."""
    assert propose(KEYS, edges((0, 1, 5.0), (1, 2, 5.0)), conflicts=pairs((0, 2))).tolist() == [0, 2, 2, 3]


def test_identifiers_of_any_two_members_refuse_a_join() -> None:
    forms = forms_of([{"tax_id": ["de:1"]}, {}, {}, {"tax_id": ["de:2"]}])
    signatures = conflict_signatures(forms, company_model())

    labels = propose(KEYS, edges((0, 1, 9.0), (1, 2, 8.0), (2, 3, 7.0)), signatures=signatures)

    assert labels.tolist() == [2, 2, 2, 3]


LANDS = company_model(vetoes=(Veto("country", "city", "chain"),))
"""A model in which a country, here the feature `city`, parts chains."""


def test_a_record_that_leaves_a_country_open_joins_no_two_countries() -> None:
    signatures = conflict_signatures(forms_of([{"city": ["de"]}, {}, {"city": ["fr"]}, {}]), LANDS)
    chain = edges((0, 1, 9.0), (1, 2, 8.0), (2, 3, 7.0))

    labels, refused = propose_counting(KEYS, chain, signatures=signatures)

    assert labels.tolist() == [1, 1, 3, 3]
    assert refused.tolist() == [1]


def test_two_records_that_match_although_their_countries_differ_join_with_all_that_is_theirs() -> None:
    """The edge d-b weighed the countries itself. Its side then knows both, so that neither country parts it from a."""
    forms = forms_of([{"city": ["de"]}, {}, {"city": ["fr"]}, {"city": ["fr"]}])
    signatures = conflict_signatures(forms, LANDS)

    labels = propose(KEYS, edges((0, 1, 9.0), (0, 2, 8.0), (1, 3, 7.0)), signatures=signatures)

    assert labels.tolist() == [3, 3, 3, 3]


def test_a_decision_joins_across_what_parts_chains() -> None:
    forms = forms_of([{"city": ["de"]}, {}, {"city": ["fr"]}, {"city": ["fr"]}])
    signatures = conflict_signatures(forms, LANDS)

    labels = propose(KEYS, edges((0, 1, 9.0), (1, 3, 7.0)), musts=pairs((0, 2)), signatures=signatures)

    assert labels.tolist() == [3, 3, 3, 3]


def test_a_free_record_attaches_to_no_established_group_of_another_country() -> None:
    """Record d lies in the cluster of both; its stronger edge leads by a record without country, to c's France."""
    forms = forms_of([{"city": ["de"]}, {"city": ["fr"]}, {}, {"city": ["de"]}])
    signatures = conflict_signatures(forms, LANDS)
    links = edges((0, 2, 9.0), (0, 3, 5.0))
    together = np.zeros(4, dtype=np.int32)

    held = hold(KEYS, links, together, [frozenset({1, 2}), frozenset({3})], signatures=signatures)

    assert held.groups == (frozenset({1, 2}), frozenset({0, 3}))


def test_must_links_join_before_any_edge() -> None:
    labels = propose(KEYS, edges((0, 1, 9.0)), musts=pairs((1, 3)), conflicts=pairs((0, 3)))

    assert labels.tolist() == [0, 3, 2, 3]


def test_established_groups_keep_their_members_and_a_join_is_proposed() -> None:
    links = edges((0, 1, 9.0), (1, 2, 8.0), (2, 3, 7.0))
    labels = propose(KEYS, links)

    held = hold(KEYS, links, labels, [frozenset({3}), frozenset({0})])

    assert held.groups == (frozenset({2, 3}), frozenset({0, 1}))
    assert held.proposals == (Proposal("join", frozenset({0, 1, 2, 3}), (frozenset({2, 3}), frozenset({0, 1}))),)


def test_an_established_group_that_falls_apart_is_proposed_as_a_split() -> None:
    links = edges((0, 1, 9.0), (2, 3, 9.0))

    held = hold(KEYS, links, propose(KEYS, links), [frozenset({0, 1, 2, 3})])

    assert held.groups == (frozenset({0, 1, 2, 3}),)
    assert held.proposals == (Proposal("split", frozenset({0, 1, 2, 3}), (frozenset({2, 3}), frozenset({0, 1}))),)


def test_must_linked_free_records_attach_whole_or_not_at_all() -> None:
    """Record 1 would fit the established record 0, but record 2, which must stay with it, does not."""
    links, must, foes = edges((0, 1, 9.0), (1, 2, 8.0)), pairs((1, 2)), pairs((0, 2))

    held = hold(KEYS, links, propose(KEYS, links), [frozenset({0})])
    apart = hold(KEYS, links, np.array([2, 2, 2, 3], np.int32), [frozenset({0})], musts=must, conflicts=foes)

    assert held.groups == (frozenset({0, 1, 2}), frozenset({3}))
    assert apart.groups == (frozenset({0}), frozenset({1, 2}), frozenset({3})) or apart.groups == (
        frozenset({0}),
        frozenset({3}),
        frozenset({1, 2}),
    )
