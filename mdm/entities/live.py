"""The entity types as they hold now: declarations with the frozen rules that are in force laid over them.

One value a process: whoever reads it sees the same set of types until it asks again. It learns of an activation by the
one number that grows with each: writers ask for it in a statement they make anyway (see mdm.hub), readers when they
take a connection, at most once in REFRESH_S.
"""

import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import Connection, Engine, event

from mdm.db.transaction import end_reading
from mdm.entities import rules_store
from mdm.entities.frozen import Survivorship, misfits, model_from, survivorship_from, under
from mdm.entities.model import EntityType
from mdm.entities.rules_store import Fetch, Holding
from mdm.telemetry import logger

REFRESH_S: Final = 1.0  # chosen: a page may show the rules of a second ago; nothing is written by them


@dataclass(frozen=True, slots=True)
class Rules:
    """One moment's entity types; `holding` names what lies over the declarations, `number` the last activation."""

    number: int
    types: Mapping[str, EntityType]
    holding: Mapping[str, Holding]


class LiveTypes(Mapping[str, EntityType]):
    """Entity types by name, always those that hold; `declared` are those of the YAML files."""

    def __init__(self, declared: Mapping[str, EntityType]) -> None:
        """Begin with the declarations; nothing was activated yet, as far as is known."""
        self.declared = declared
        self._rules = Rules(0, declared, MappingProxyType({}))
        self._lock = threading.Lock()
        self._asked_at = float("-inf")

    def now(self) -> Rules:
        """Give one moment's rules, which stay what they are."""
        return self._rules

    def __getitem__(self, name: str) -> EntityType:
        """Give the entity type as it holds."""
        return self._rules.types[name]

    def __iter__(self) -> Iterator[str]:
        """Go through the names; what others point at comes first."""
        return iter(self._rules.types)

    def __len__(self) -> int:
        """Count the entity types."""
        return len(self._rules.types)

    def refresh(self, connection: Connection) -> Rules:
        """Read which rules hold now."""
        return self._read(connection.exec_driver_sql)

    def watch(self, engine: Engine) -> None:
        """Look whether rules were activated whenever a connection is taken from the pool, once in REFRESH_S at most."""

        @event.listens_for(engine, "checkout")
        def look(dbapi_connection: Any, _record: Any, _proxy: Any) -> None:
            if time.monotonic() - self._asked_at < REFRESH_S:
                return
            self._asked_at = time.monotonic()
            if self._newest(dbapi_connection) != self._rules.number:
                self._read(lambda statement: dbapi_connection.execute(statement).fetchall())
            end_reading(dbapi_connection)

    def _newest(self, dbapi_connection: Any) -> int:
        found: int = dbapi_connection.execute(rules_store.NEWEST).fetchone()[0]
        return found

    def _read(self, fetch: Fetch) -> Rules:
        with self._lock:
            holding = {one.entity_type: one for one in rules_store.select_holding(fetch)}
            number = max((one.number for one in holding.values()), default=0)
            if number > self._rules.number:
                self._rules = Rules(number, self._laid_over(fetch, holding), MappingProxyType(holding))
            return self._rules

    def _laid_over(self, fetch: Fetch, holding: Mapping[str, Holding]) -> Mapping[str, EntityType]:
        changed = {
            name: one for name, one in holding.items() if name in self.declared and self._rules.holding.get(name) != one
        }
        models = rules_store.select_definitions(
            fetch, "match_model", filter(None, (one.model_version for one in changed.values()))
        )
        choices = rules_store.select_definitions(
            fetch, "survivorship_rules", filter(None, (one.survivorship_version for one in changed.values()))
        )
        laid = {name: self._one(one, models, choices) for name, one in changed.items()}
        return MappingProxyType({name: laid.get(name, one) for name, one in self._rules.types.items()})

    def _one(self, holding: Holding, models: Mapping[str, Any], choices: Mapping[str, Any]) -> EntityType:
        """Lay the rules that hold over a declaration; a model that does not fit it any more is left out, and logged."""
        declared = self.declared[holding.entity_type]
        model = model_from(models[holding.model_version], holding.model_version) if holding.model_version else None
        choice: Survivorship | None = None
        if holding.survivorship_version:
            choice = survivorship_from(declared.name, choices[holding.survivorship_version])
        if model is not None and (reasons := misfits(declared, model)):
            logger(__name__).error(
                "the active match model does not fit the declaration, which holds in its place",
                entity_type=declared.name,
                version=model.version,
                reasons=reasons,
            )
            model = None
        return under(declared, model, choice)
