"""Salted hashes: equal for what a system holds alike, of no use without their salt."""

from hypothesis import given
from hypothesis import strategies as st

from mdm.delivery.hashes import hash_fields, hash_value, new_salt

SALT = b"0" * 16


def test_what_systems_write_otherwise_is_the_same() -> None:
    same = [("Acme  GmbH ", "Acme GmbH"), (5, 5.0), (5, "5"), ("", None), ([], None), ([None, "a"], ["a"])]
    for one, other in same:
        assert hash_value(SALT, "f", one) == hash_value(SALT, "f", other), (one, other)
    for one, other in [("Acme", "ACME"), (True, 1), (["a", "b"], ["b", "a"]), ("0", None)]:
        assert hash_value(SALT, "f", one) != hash_value(SALT, "f", other), (one, other)


def test_the_same_value_of_another_field_or_record_has_another_hash() -> None:
    assert len({hash_value(SALT, "f", "a"), hash_value(SALT, "g", "a"), hash_value(new_salt(), "f", "a")}) == 3


@given(st.dictionaries(st.text(max_size=5), st.text() | st.integers() | st.none(), max_size=4))
def test_hashing_is_repeatable(fields: dict[str, object]) -> None:
    assert hash_fields(SALT, fields) == hash_fields(SALT, dict(reversed(list(fields.items()))))
