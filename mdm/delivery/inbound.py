"""Tell what a system says of its own from what the hub wrote there: our own words are no news.

A system that is a source and a target shows the hub's values beside its own. A field that holds what we wrote last, or
are writing just now, is an echo: it is no evidence, and a delivery of echoes alone ends here. What somebody changed
there is news, also when it is the value of before we wrote. Of attributes that move together, as the parts of an
address, its words are taken whole: beside a city that somebody entered there our country is its word as well.

Where something else stands than what was asked for without an answer, it may have been carried out and replaced: it is
asked for under new ids then, since a system carries the same request out once.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row

from mdm import clock
from mdm.delivery import ledger_store as store
from mdm.delivery.hashes import hash_fields, new_salt
from mdm.delivery.lanes_store import begin_series_of
from mdm.delivery.model import Declaration, Held
from mdm.delivery.targets import declarations_of_instances
from mdm.delivery.wanted import in_its_words
from mdm.delivery.writes import is_earlier, is_last, is_since, with_writes, without_proven
from mdm.entities.model import EntityType
from mdm.ids import GoldenId, RecordId
from mdm.sources import store as sources_store
from mdm.sources.model import Accepted, Arrival, SourceKey
from mdm.sources.service import judge_own_words
from mdm.telemetry import ECHOES

_Place = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Heard:
    """What remains of deliveries once echoes are taken out: news in their order, and what was an echo as a whole."""

    news: tuple[tuple[int, Accepted], ...]
    echoes: Mapping[int, Arrival]


def without_echoes(
    connection: Connection,
    entity_type: EntityType,
    chunk: Sequence[tuple[int, Accepted]],
    *,
    column_map: Mapping[str, str],
) -> Heard:
    """Take the echoes out of deliveries of one entity type, and note what the targets' records hold now.

    Costs one look at the targets where no source of the chunk is one.
    """
    instances = {one.delivery.key.instance for _, one in chunk}
    targets = declarations_of_instances(connection, sorted(instances))
    news: list[tuple[int, Accepted]] = []
    echoes: dict[int, Arrival] = {}
    rows: dict[str, list[dict[str, Any]]] = {}
    replaced: dict[str, set[GoldenId]] = {}
    for instance in sorted(instances):
        mine = [(index, one) for index, one in chunk if one.delivery.key.instance == instance]
        target = targets.get(instance)
        if target is None or entity_type.name not in target.records:
            news.extend(mine)
            continue
        listening = _Listening(connection, target, entity_type, column_map, [one for _, one in mine])
        for index, one in mine:
            heard = listening.hear(one)
            if isinstance(heard, Arrival):
                echoes[index] = heard
            else:
                news.append((index, heard))
        rows[target.id], replaced[target.id] = listening.rows, listening.replaced
    for target_id, kept in sorted(rows.items()):
        store.upsert_held(connection, target_id, kept)
        if replaced[target_id]:
            begin_series_of(connection, target_id, sorted(replaced[target_id]))
    return Heard(tuple(sorted(news, key=lambda pair: pair[0])), echoes)


class _Listening:
    """Listens to one target: what each of its records held and said until now, and what is to be noted.

    replaced  the golden records of which a record holds something else than what was asked for without an answer
    """

    def __init__(
        self,
        connection: Connection,
        target: Declaration,
        entity_type: EntityType,
        column_map: Mapping[str, str],
        deliveries: Sequence[Accepted],
    ) -> None:
        keys = [one.delivery.key for one in deliveries]
        self._target = target
        self._entity_type = entity_type
        self._column_map = column_map
        self._rules = {rule.target_field: rule for rule in target.records[entity_type.name].fields}
        self._use_flag = target.records[entity_type.name].use_flag
        self._held = store.select_held(connection, target.id, [_place(key) for key in keys], for_update=True)
        self._said = sources_store.select_last_payloads(connection, keys)
        self._now = clock.now()
        self.rows: list[dict[str, Any]] = []
        self.replaced: set[GoldenId] = set()

    def hear(self, one: Accepted) -> Accepted | Arrival:
        """Give what a delivery says of its own, or the record that it repeats our words of."""
        key, fields = one.delivery.key, one.delivery.fields
        said = self._said.get(key)
        held = self._held.get(_place(key))
        if one.delivery.is_deletion:
            if held is not None:
                self._note(held, said, replace(held, state="lost", intended=None))
            return one
        # A system delivers whole records: a field that is not there holds nothing.
        shown = {name: in_its_words(rule, fields.get(name)) for name, rule in self._rules.items()}
        if self._use_flag in fields:
            shown[self._use_flag] = _is_set(fields[self._use_flag])
        if held is None:
            salt = new_salt()
            self._note(None, said, Held(*_place(key), "active", salt, hash_fields(salt, shown)))
            return one
        seen = hash_fields(held.salt, shown)
        told_at, intended = one.delivery.source_time, held.intended or {}
        late = {name for name, hash_ in seen.items() if is_earlier(held.written, name, hash_, told_at=told_at)}
        asked = {name for name, hash_ in seen.items() if hash_ in intended.get(name, ())}
        if said is not None and said.golden_id and (seen.keys() & intended.keys()) - asked - late:
            self.replaced.add(GoldenId(said.golden_id))
        ours = asked | {name for name, hash_ in seen.items() if _is_written(held, said, name, hash_)}
        # Else a delivery does not say whether the record is in use there.
        state = held.state if held.state in {"deactivated", "inactive"} else "active"
        after = replace(held, state=state, hashes={**held.hashes, **{n: seen[n] for n in seen.keys() - late}})
        if self._use_flag in ours - late:
            after = replace(after, state="deactivated" if shown[self._use_flag] else "active")
        proven = {name: seen[name] for name in asked - late}
        after = _with_proven(after, proven, at=min(self._now, told_at or self._now))
        self._note(held, said, after)
        ours = (ours | late) & fields.keys()
        if said is None or (not ours and not _is_repeated(one, said, held)):
            return one
        own = {name: value for name, value in fields.items() if name not in ours}
        news = {name for name, value in own.items() if _is_news(held, said, name, value, seen.get(name))}
        news |= said.fields.keys() - fields.keys()
        ECHOES.labels(self._target.id).inc(len({name for name in ours if fields[name] != said.fields.get(name)}))
        if not news:
            return Arrival(RecordId(said.record_id), key, "unchanged", GoldenId(said.golden_id))
        heard = self._judged(one, own)
        if alongside := self._moving_with(heard.values, ours):
            heard = self._judged(one, {name: fields[name] for name in fields if name in own or name in alongside})
        again = [name for name in news & own.keys() if own[name] == said.fields.get(name)]
        return _said_again(heard, held, again) if again else heard

    def _judged(self, one: Accepted, fields: Mapping[str, Any]) -> Accepted:
        delivery = replace(one.delivery, fields=fields)
        return judge_own_words(self._entity_type, delivery, accepted=one, column_map=self._column_map)

    def _moving_with(self, own: Mapping[str, Any], ours: Collection[str]) -> set[str]:
        """Name the fields with our words that move together with an attribute of which it has words of its own."""
        together = {other for name in own for other in self._entity_type.moving_with(name) if other not in own}
        return {name for name in ours if name in self._rules and self._rules[name].attribute in together}

    def _note(self, held: Held | None, said: Row[Any] | None, after: Held) -> None:
        if held is None or held != after:
            golden_id = said.golden_id if said is not None and said.golden_id else ""
            self.rows.append(
                {
                    "entity_type": self._entity_type.name,
                    "golden_id": golden_id,
                    "held": after,
                    "seen_at": self._now,
                }
            )


def _is_written(held: Held, said: Row[Any] | None, name: str, hash_: str) -> bool:
    """Tell whether a field shows what the hub wrote last; not where somebody replaced that and put it back since."""
    is_replaced = held.hashes.get(name, hash_) != hash_
    told_at = said.source_time if said is not None else None
    return is_last(held.written, name, hash_) and not (is_replaced and is_since(held.written, name, told_at=told_at))


def _with_proven(held: Held, hashes: Mapping[str, str], *, at: datetime) -> Held:
    """Note as written what was intended and is there, whoever was answered: it is what the hub wrote last."""
    if not hashes:
        return held
    rest = without_proven(held.intended, hashes)
    return replace(held, intended=rest, written=with_writes(held.written, hashes, at=at))


def _is_set(flag: Any) -> bool:
    """Tell whether a system's flag says yes, in whatever way it writes that."""
    return str(flag).strip().lower() in {"true", "t", "yes", "y", "1"}


def _is_news(held: Held, said: Row[Any], name: str, value: Any, hash_: str | None) -> bool:
    """Tell whether a field changed by somebody's hand since it was last seen."""
    if name in held.hashes:
        return hash_ != held.hashes[name] or name not in said.fields
    return bool(value != said.fields.get(name))


def _is_repeated(one: Accepted, said: Row[Any], held: Held) -> bool:
    """Tell whether a record that we may have written to, be it an id alone, says word for word what it said last.

    Its instant may be that of our write, which makes its words no newer.
    """
    # An id that it bears, or may bear, the hub may have given it when it made it.
    is_touched = held.written_at is not None or held.external_id != ""
    delivered = one.delivery.fields, one.values, one.undeclared
    return is_touched and delivered == (said.fields, said.shown, said.undeclared)


def _said_again(one: Accepted, held: Held, names: Sequence[str]) -> Accepted:
    """Let a delivery count that says once more what it said before we wrote over it."""
    marks = "".join(f"{name}={held.hashes.get(name, '')}" for name in sorted(names))
    return replace(one, content_hash=hashlib.sha256(one.content_hash + marks.encode()).digest())


def _place(key: SourceKey) -> _Place:
    return key.object, key.scope, key.native_id
