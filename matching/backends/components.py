"""Connected components of pairs that lie in memory as columns: which records can end up in one cluster at all."""

import numpy as np
from numpy.typing import NDArray


def connected(left: NDArray[np.integer], right: NDArray[np.integer], records_count: int) -> NDArray[np.int32]:
    """Name each record's component by its smallest record: int32 [records].

    Each round hooks the root of one side to the smaller root of the other, then halves all paths to their roots
    (Shiloach & Vishkin 1982): a handful of rounds, none with a loop over pairs.
    """
    parent = np.arange(records_count, dtype=np.int32)
    first, second = np.asarray(left, dtype=np.int32), np.asarray(right, dtype=np.int32)
    while len(first):
        roots_first, roots_second = parent[first], parent[second]
        apart = roots_first != roots_second
        first, second = first[apart], second[apart]
        low = np.minimum(roots_first[apart], roots_second[apart])
        np.minimum.at(parent, np.maximum(roots_first[apart], roots_second[apart]), low)
        while not np.array_equal(halved := parent[parent], parent):
            parent = halved
    return parent
