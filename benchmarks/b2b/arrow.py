"""Small steps on Arrow string columns: what the generator is written in. A missing value is a null throughout."""

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray


def texts(values: Sequence[str | None]) -> pa.Array:
    """Make a string column; "" becomes a null."""
    return pa.array([value or None for value in values], pa.string())


def pick(table: pa.Array, index: NDArray[np.integer]) -> pa.Array:
    """Take values by their place."""
    return table.take(pa.array(index))


def drawn(table: pa.Array, count: int, rng: np.random.Generator) -> pa.Array:
    """Draw values of a table, all alike likely."""
    return pick(table, rng.integers(0, len(table), count))


def joined(*parts: pa.Array | str, by: str = "") -> pa.Array:
    """Join columns and constants row by row, leaving nulls out; a row of nulls only becomes null."""
    column = pc.binary_join_element_wise(*parts, by, null_handling="skip")
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def strictly(*parts: pa.Array | str, by: str = "") -> pa.Array:
    """Join columns and constants row by row; a null in any makes the row null."""
    return pc.binary_join_element_wise(*parts, by, null_handling="emit_null")


def chosen(mask: NDArray[np.bool_], yes: pa.Array | pa.Scalar | str, no: pa.Array | pa.Scalar | str) -> pa.Array:
    """Take `yes` where the mask holds, else `no`."""
    return pc.if_else(pa.array(mask), yes, no)


def kept(column: pa.Array, mask: NDArray[np.bool_]) -> pa.Array:
    """Null all values but those of the mask."""
    return pc.if_else(pa.array(mask), column, pa.scalar(None, pa.string()))


def edited(column: pa.Array, mask: NDArray[np.bool_], edit: Callable[[list[str]], list[str]]) -> pa.Array:
    """Rewrite the values of the mask that are there by a function on a list; the rest stays."""
    mask = mask & present(column)
    if not mask.any():
        return column
    where = np.flatnonzero(mask)
    rewritten = edit(column.take(pa.array(where)).to_pylist())
    return pc.replace_with_mask(column, pa.array(mask), texts(rewritten))


def holds(truths: pa.Array) -> NDArray[np.bool_]:
    """Give a truth for each row; an unknown one does not hold."""
    return truths.fill_null(pa.scalar(value=False)).to_numpy(zero_copy_only=False)


def present(column: pa.Array) -> NDArray[np.bool_]:
    """Tell which values are there."""
    return column.is_valid().to_numpy(zero_copy_only=False)


def digit_texts(digits: NDArray[np.integer]) -> pa.Array:
    """Write a matrix of digits, one number a row, as texts of one width."""
    rows, width = digits.shape
    letters = np.ascontiguousarray(digits.astype(np.uint8) + ord("0"))
    offsets = np.arange(rows + 1, dtype=np.int32) * width
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(letters))


def letter_texts(letters: NDArray[np.integer]) -> pa.Array:
    """Write a matrix of places in the alphabet, one word a row, as capital letters."""
    rows, width = letters.shape
    written = np.ascontiguousarray(letters.astype(np.uint8) + ord("A"))
    offsets = np.arange(rows + 1, dtype=np.int32) * width
    return pa.StringArray.from_buffers(rows, pa.py_buffer(offsets), pa.py_buffer(written))


def digits_of(numbers: NDArray[np.integer], width: int) -> NDArray[np.int64]:
    """Part numbers into their last `width` digits."""
    return numbers.astype(np.int64)[:, None] // 10 ** np.arange(width - 1, -1, -1, dtype=np.int64) % 10


def mixed(numbers: NDArray[np.integer], salt: int) -> NDArray[np.int64]:
    """Hash numbers to 63 bits (the finaliser of splitmix64): what belongs to an id can be computed from it anywhere."""
    with np.errstate(over="ignore"):
        hashed = numbers.astype(np.uint64) + np.uint64(salt * 0x9E3779B97F4A7C15 % 2**64)
        hashed = (hashed ^ (hashed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        hashed = (hashed ^ (hashed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return (hashed >> np.uint64(1)).astype(np.int64)


def ranks(
    uniform: NDArray[np.float64], size: NDArray[np.integer] | int, shift: NDArray[np.floating] | float
) -> NDArray[np.int64]:
    """Draw ranks below `size` by Zipf-Mandelbrot, chance ∝ 1 / (rank + shift), from uniform numbers."""
    drawn = shift * ((size + shift) / shift) ** uniform - shift
    return np.minimum(drawn.astype(np.int64), np.asarray(size) - 1)
