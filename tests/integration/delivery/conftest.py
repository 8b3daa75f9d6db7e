"""A target in memory for the tests of delivery."""

import pytest

from tests.targets import Shelf


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()
