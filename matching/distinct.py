"""Distinct codes by hashing: what comparing and scoring do once for each distinct thing, they spread back with this."""

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray


def distinct_codes(codes: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Return the distinct codes by first appearance, and the position of each code in them."""
    encoded = pa.array(codes).dictionary_encode()
    return encoded.dictionary.to_numpy(), encoded.indices.to_numpy()
