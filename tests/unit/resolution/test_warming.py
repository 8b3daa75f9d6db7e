"""What compares is loaded and compiled before a delivery waits for it."""

import subprocess
import sys

import pytest

from matching.kernels import IS_COMPILED

COMPILED = """
import matching.kernels, sys
from mdm.entities.service import entity_types
from mdm.resolution.warming import make_ready
assert "matching.loops" not in sys.modules
make_ready(entity_types(()).values())
print(*(name for name in sys.argv[1:] if not getattr(matching.kernels, name).signatures))
"""
OF_DELIVERIES = ("overlaps", "near", "letter_sets", "hashes")


@pytest.mark.skipif(not IS_COMPILED, reason="the extra `speed` is not installed")
def test_every_loop_that_a_delivery_runs_is_compiled_before_its_transaction_begins() -> None:
    found = subprocess.run([sys.executable, "-c", COMPILED, *OF_DELIVERIES], capture_output=True, text=True, check=True)

    assert found.stdout.split() == []
