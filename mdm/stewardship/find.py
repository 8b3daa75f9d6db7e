"""Find golden records by whatever somebody has at hand: one search over names, keys, numbers and ids.

The readings of a question are tried from the surest on: an id, a key, a number, a whole name, the words of a name, the
same with a slip of the keyboard, the words anywhere. Each step takes a bounded number of candidates from an index; what
is found is read once more, so that every hit says why it answers, and of what the caller may not see nothing is said.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from mdm.access.limits import Limits
from mdm.db.transaction import run, snapshot
from mdm.hub import Hub
from mdm.identity import store as identity_store
from mdm.identity.model import GoldenRecord
from mdm.ids import GoldenId
from mdm.sources.model import SourceKey
from mdm.stewardship.found import RANK, Hit, Member, Why, nearness, reasons_of
from mdm.survivorship import search_store
from mdm.survivorship import store as survivorship_store
from mdm.survivorship.model import GoldenVersion
from mdm.survivorship.search_question import Question, read_question
from mdm.survivorship.search_store import Candidate
from mdm.survivorship.search_terms import search_row
from mdm.survivorship.search_words import WORDS_MAX, patterns

CANDIDATES_MAX: Final = 200  # chosen: of one step; ranking them takes 2 ms, and nobody reads on so far
FEW: Final = 5  # chosen: with fewer hits than this it is worth looking for what is merely alike
HITS_MAX: Final = 10_000  # as many as the command prints
UNREAD_MAX: Final = 500  # chosen: golden records that one turn of the worker gathers terms of
_ID_LENGTH_MIN: Final = 6  # a prefix, and enough to be more than that


@dataclass(frozen=True, slots=True)
class Found:
    """What a search gave, best first.

    took_ms      milliseconds that it took
    is_complete  nothing else answers; else a longer question, or a larger limit, would show more
    """

    question: str
    hits: tuple[Hit, ...]
    took_ms: float
    is_complete: bool


def find(hub: Hub, words: str, *, limits: Limits, entity_type: str | None = None, limit: int = 20) -> Found:
    """Find golden records by an id, a key, a number, a name or any words, best first; anything may be typed."""
    started = time.perf_counter()
    question = read_question(words)
    narrowed = limits.to_type(entity_type)
    hits: list[Hit] = []
    is_complete = True
    if not question.is_empty and any(name in hub.declared for name in narrowed.entity_types):
        with snapshot(hub.engine) as connection:
            search_store.prefer_indexes(connection)
            search = _Search(hub, connection, question, narrowed, min(limit, HITS_MAX))
            hits, is_complete = search.hits()
    took_ms = (time.perf_counter() - started) * 1e3
    return Found(question.asked, tuple(hits[:limit]), took_ms, is_complete and len(hits) <= limit)


def gather_terms(hub: Hub) -> int:
    """Gather the terms of golden records that an earlier schema left without any: a task of the worker."""

    def act(connection: Connection) -> int:
        unread = search_store.select_unread(connection, hub.declared, limit=UNREAD_MAX)
        for name, golden_ids in unread.items():
            members = search_store.select_searchable(connection, golden_ids)
            versions = survivorship_store.select_versions(connection, golden_ids)
            rows = {
                id_: search_row(hub.declared[name], id_, versions[id_].values, members.get(id_, []))
                for id_ in golden_ids
            }
            search_store.upsert_search_rows(connection, name, rows)
        return sum(map(len, unread.values()))

    return run(hub.engine, act)


class _Search:
    """One question's way through the steps."""

    def __init__(self, hub: Hub, connection: Connection, question: Question, limits: Limits, limit: int) -> None:
        """Take the first step towards at most `limit` hits."""
        self.limit = limit
        self.reach = max(CANDIDATES_MAX, 2 * limit)
        self.hub = hub
        self.connection = connection
        self.question = question
        self.limits = limits
        self.types = [name for name in limits.entity_types if name in hub.declared]
        self.candidates: dict[GoldenId, float] = {}
        self.is_complete = True

    def hits(self) -> tuple[list[Hit], bool]:
        """Take the steps, explain what they found, and rank it."""
        named = [*self._by_id(), *self._by_key()]
        if not (named and (self.question.place or self.question.golden_id)):
            self._by_terms()
        explained = sorted(self.candidates.items(), key=lambda one: (-one[1], one[0]))
        if not self.limits.few_sources:
            # What may be seen of each is the same, so the far ones cannot come to the front any more.
            self.is_complete &= len(explained) <= 2 * self.limit
            explained = explained[: 2 * self.limit]
        found = self._explained([golden_id for golden_id, _ in explained])
        return self._merged(named, found), self.is_complete

    def _by_id(self) -> list[Hit]:
        asked = self.question.golden_id
        if len(asked) < _ID_LENGTH_MIN:
            return []
        ids = search_store.select_id_beginnings(self.connection, asked, entity_types=self.types, limit=self.limit + 1)
        self.is_complete &= len(ids) <= self.limit
        reasons = {id_: Why("golden_id" if id_ == asked else "beginning", "", id_) for id_ in ids[: self.limit]}
        return self._named(reasons, list(reasons))

    def _by_key(self) -> list[Hit]:
        if not self.question.native_id:
            return []
        holders = search_store.select_key_holders(
            self.connection,
            self.question.native_id,
            place=self.question.place,
            entity_types=self.types,
            limit=self.reach,
        )
        # Those of active records are found by their terms too, with all reasons; but not before the worker has been.
        golden = identity_store.select_goldens(self.connection, {one.golden_id for one in holders})
        reasons: dict[GoldenId, Why] = {}
        for one in holders:
            if self.limits.shows(golden[one.golden_id].entity_type, one.instance):
                why = Why("source_key", "", one.source_key, (one.source_key,), one.state != "active")
                reasons.setdefault(one.golden_id, why)
        return self._named(reasons, list(reasons))

    def _named(self, why: Mapping[GoldenId, Why], ids: Sequence[GoldenId]) -> list[Hit]:
        """Make hits of golden ids that were named themselves, or by a key; an id that was merged leads on."""
        golden = identity_store.select_goldens_and_targets(self.connection, ids)
        led_to = {id_: golden[id_].forward_to or id_ for id_ in ids if id_ in golden}
        seen = self._seen(set(led_to.values()))
        hits = []
        for id_, target in led_to.items():
            told = seen.get(target)
            is_forwarded = target != id_
            if told is None and not self._may_show_empty(golden[target], why[id_]):
                continue
            version = self._versions([target]).get(target) if told is None else told.version
            hits.append(
                self._hit(
                    golden[target],
                    told.members if told else [],
                    version,
                    RANK[why[id_].by],
                    (why[id_],),
                    id_ if is_forwarded and why[id_].by in {"golden_id", "beginning"} else None,
                )
            )
        return hits

    def _may_show_empty(self, golden: GoldenRecord, why: Why) -> bool:
        """Tell whether a golden record without members may be shown: not to those who see some sources only.

        Unless it was found by the key of a record of theirs, which was deleted since.
        """
        if golden.state == "active":
            return False
        few = self.limits.sources_by_type.get(golden.entity_type)
        return few is None or (why.by == "source_key" and why.is_gone)

    def _by_terms(self) -> None:
        asked = self.question
        self._take(asked.exact, RANK["name"])
        self._take(" | ".join(filter(None, [asked.beginning, asked.spelled])), RANK["beginning"])
        if len(self.candidates) < FEW:
            self._take(asked.slipped, RANK["similar_name"])
        if not self.candidates and len(asked.all_words) <= WORDS_MAX:
            self._take_wordy()
        if not self.candidates:
            self._take(asked.most, RANK["similar_name"])

    def _take(self, query: str, rank: float) -> None:
        if not query:
            return
        found = search_store.select_candidates(
            self.connection,
            query,
            entity_types=self.types,
            limit=self.reach,
            sources=self.limits.few_sources,
        )
        self._keep(found, rank)

    def _take_wordy(self) -> None:
        asked = patterns(" ".join(self.question.all_words))
        if asked and max(map(len, asked)) > _ID_LENGTH_MIN:
            found = search_store.select_wordy(
                self.connection,
                asked,
                entity_types=self.types,
                limit=self.reach,
                sources=self.limits.few_sources,
            )
            self._keep(found, RANK["words"])

    def _keep(self, found: Sequence[Candidate], rank: float) -> None:
        self.is_complete &= len(found) < self.reach
        for one in found:
            if one.golden_id not in self.candidates:
                self.candidates[one.golden_id] = rank + nearness(self.question, one.names)

    def _explained(self, golden_ids: Sequence[GoldenId]) -> list[Hit]:
        """Read what was found once more, and keep what answers by something that may be shown."""
        seen = self._seen(golden_ids)
        hits = []
        for golden_id in golden_ids:
            told = seen.get(golden_id)
            if told is None or told.version.state != "active":
                continue
            entity_type = self.hub.declared[told.version.entity_type]
            values = {} if told.version.entity_type in self.limits.few_sources else told.version.values
            rank, reasons = reasons_of(entity_type, self.question, told.members, values)
            if reasons:
                golden = GoldenRecord(golden_id, entity_type.name, "active", None, told.version.version)
                hits.append(self._hit(golden, told.members, told.version, rank, reasons, None))
        return hits

    def _seen(self, golden_ids: Iterable[GoldenId]) -> dict[GoldenId, "_Seen"]:
        """Read golden records with those of their members that may be shown; without any, a record is not there."""
        ids = list(golden_ids)
        if not ids:
            return {}
        versions = self._versions(ids)
        found = {}
        for golden_id, rows in search_store.select_searchable(self.connection, ids).items():
            if golden_id not in versions:
                continue
            entity_type = versions[golden_id].entity_type
            members = [
                Member(SourceKey(*row[:4]), row[4], row[5]) for row in rows if self.limits.shows(entity_type, row[0])
            ]
            if members:
                found[golden_id] = _Seen(versions[golden_id], members)
        return found

    def _versions(self, golden_ids: Sequence[GoldenId]) -> dict[GoldenId, GoldenVersion]:
        return survivorship_store.select_versions(self.connection, golden_ids)

    def _hit(
        self,
        golden: GoldenRecord,
        members: Sequence[Member],
        version: GoldenVersion | None,
        rank: float,
        reasons: tuple[Why, ...],
        forwarded_from: GoldenId | None,
    ) -> Hit:
        entity_type = self.hub.declared[golden.entity_type]
        shown: Mapping[str, Any] = version.values if version else {}
        if golden.entity_type in self.limits.few_sources:
            # The golden name may be another source's; the caller reads what their own records say.
            shown = next((one.values for one in members if entity_type.name_of(one.values)), {})
        return Hit(
            golden_id=golden.id,
            entity_type=golden.entity_type,
            name=entity_type.name_of(shown),
            state=golden.state,
            rank=rank,
            reasons=reasons,
            sources=tuple(sorted({one.key.instance for one in members})),
            forwarded_from=forwarded_from,
        )

    def _merged(self, named: Sequence[Hit], found: Sequence[Hit]) -> list[Hit]:
        """Rank all hits; one that came up twice keeps its best rank and all reasons."""
        best: dict[GoldenId, Hit] = {}
        for hit in sorted([*named, *found], key=lambda one: -one.rank):
            known = best.get(hit.golden_id)
            if known is None:
                best[hit.golden_id] = hit
            else:
                more = [
                    why for why in hit.reasons if (why.by, why.shown) not in {(w.by, w.shown) for w in known.reasons}
                ]
                best[hit.golden_id] = _with_reasons(known, (*known.reasons, *more))
        return sorted(best.values(), key=lambda one: (-one.rank, one.name, one.golden_id))


@dataclass(frozen=True, slots=True)
class _Seen:
    """A golden record with its members, as far as they may be shown."""

    version: GoldenVersion
    members: list[Member]


def _with_reasons(hit: Hit, reasons: tuple[Why, ...]) -> Hit:
    return Hit(hit.golden_id, hit.entity_type, hit.name, hit.state, hit.rank, reasons, hit.sources, hit.forwarded_from)
