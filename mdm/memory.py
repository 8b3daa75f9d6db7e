"""How often a process that lives for a while looks for garbage."""

import gc
from typing import Final, Literal

_MADE_BETWEEN_LOOKS: Final = 20_000  # chosen: a look for every two pages; they are freed without it, cycles apart
_spared: set[str] = set()


def spare_what_stays(since: Literal["a hub is open", "a server is loaded"]) -> None:
    """Let the garbage collector look no more at what a process has loaded by now, once in its life for each occasion.

    To walk all of it took a tenth of a second now and then, in the middle of a request. It looks less often besides:
    a page, like a chunk of records, makes thousands of short-lived values, and looking after every 700 of them was a
    tenth of the time of a page, and of that of forty merges.
    """
    if since not in _spared:
        _spared.add(since)
        gc.freeze()
        gc.set_threshold(_MADE_BETWEEN_LOOKS)
