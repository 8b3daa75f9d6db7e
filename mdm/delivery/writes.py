"""What the hub wrote into one field of a target: the last value and some before it, as hashes, each with its instant.

Kept as plain JSON beside what the record holds: `hash` and `at` of the last write, `before` the earlier ones, newest
first, and `put_back` the instants at which the same value was written again because somebody had replaced it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

EARLIER_MAX: Final = 5  # chosen: a change that is told late is a few writes late at most
ASKED_MAX: Final = 5  # chosen: a target that leaves so many attempts at one field in doubt rests meanwhile
PUT_BACK_MAX: Final = 20  # chosen: more than any freeze waits for

Writes = Mapping[str, Mapping[str, Any]]
Asked = Mapping[str, tuple[str, ...]]


def with_asked(asked: Asked | None, hashes: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Note what fields are about to be written with; each of the values before that was never answered may stand there.

    The newest is the last.
    """
    before = asked or {}
    return {**before, **{name: _at_the_end(before.get(name, ()), hash_) for name, hash_ in hashes.items()}}


def without_proven(asked: Asked | None, hashes: Mapping[str, str]) -> dict[str, tuple[str, ...]] | None:
    """Forget what was asked up to a value that was seen to be there; what was asked after that may come yet."""
    rest = {name: _after(values, hashes[name]) if name in hashes else values for name, values in (asked or {}).items()}
    return {name: values for name, values in rest.items() if values} or None


def with_writes(written: Writes, hashes: Mapping[str, str], *, at: datetime) -> dict[str, Mapping[str, Any]]:
    """Note that these fields were written."""
    return {**written, **{field: _with_write(written.get(field, {}), hash_, at) for field, hash_ in hashes.items()}}


def is_last(written: Writes, field: str, hash_: str) -> bool:
    """Tell whether a value is what the hub wrote last."""
    last = written.get(field)
    return last is not None and bool(last["hash"] == hash_)


def is_since(written: Writes, field: str, *, told_at: datetime | None) -> bool:
    """Tell whether something was told after the hub's last write, if there was one; never without an instant."""
    last = written.get(field)
    return last is not None and told_at is not None and told_at > datetime.fromisoformat(last["at"])


def is_earlier(written: Writes, field: str, hash_: str, *, told_at: datetime | None) -> bool:
    """Tell whether a value is what the hub wrote before its last write, and was told before that one.

    Such news is late: it does not say what stands there now.

    told_at  the source's own instant of what it shows; without one only the last write is known as ours
    """
    last = written.get(field)
    if last is None or told_at is None or told_at >= datetime.fromisoformat(last["at"]):
        return False
    return last["hash"] != hash_ and any(earlier["hash"] == hash_ for earlier in last.get("before", ()))


def _at_the_end(values: tuple[str, ...], hash_: str) -> tuple[str, ...]:
    return (*(one for one in values if one != hash_), hash_)[-ASKED_MAX:]


def _after(values: tuple[str, ...], hash_: str) -> tuple[str, ...]:
    return values[values.index(hash_) + 1 :] if hash_ in values else values


def _with_write(last: Mapping[str, Any], hash_: str, at: datetime) -> Mapping[str, Any]:
    instant = at.isoformat()
    if last.get("hash") == hash_:
        return {**last, "at": instant, "put_back": [*last.get("put_back", ()), instant][-PUT_BACK_MAX:]}
    if not last:
        return {"hash": hash_, "at": instant}
    before = [{"hash": last["hash"], "at": last["at"]}, *last.get("before", ())]
    return {"hash": hash_, "at": instant, "before": before[:EARLIER_MAX]}
