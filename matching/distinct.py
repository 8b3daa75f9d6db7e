"""Distinct codes: what comparing and scoring do once for each distinct thing, they spread back with this."""

from typing import Any, Final, TypeVar

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from matching import kernels

_FEW: Final = 64
"""Codes that Python's own dictionary tells apart sooner (one: 1.3 against 13 µs; 64: 7 against 13; November 2026)."""


Code = TypeVar("Code", bound=np.integer[Any])


def distinct_in_order(codes: NDArray[Code]) -> NDArray[Code]:
    """Return the distinct codes, the smallest first: by sorting, a tenth of the time of `numpy.unique` for millions."""
    ordered = np.sort(codes)
    return ordered[np.concatenate(([True], ordered[1:] != ordered[:-1]))] if len(ordered) else ordered


def distinct_codes(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the distinct codes by first appearance, and the position of each code in them."""
    if len(codes) <= _FEW:
        position_by_code: dict[int, int] = {}
        positions = [position_by_code.setdefault(code, len(position_by_code)) for code in codes.tolist()]
        return np.array(list(position_by_code), dtype=np.int64), np.array(positions, dtype=np.int32)
    return _by_table(codes) if kernels.IS_COMPILED else _by_arrow(codes)


def _by_arrow(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    encoded = pa.array(codes).dictionary_encode()
    return encoded.dictionary.to_numpy(), encoded.indices.to_numpy()


def _by_table(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Do the same in a table that is large enough from the start (650,000 codes: .05 s against .2 to .5)."""
    size = 1 << (len(codes) + len(codes) // 2).bit_length()
    found, positions = np.empty(len(codes), dtype=np.int64), np.empty(len(codes), dtype=np.int32)
    slots, places = np.empty(size, dtype=np.int64), np.full(size, -1, dtype=np.int32)
    count = kernels.distinct(codes, slots, places, found, positions)
    return found[:count], positions
