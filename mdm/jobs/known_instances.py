"""Which source instances there are, as far as a process has seen: none goes away, and systems are rarely corrected."""

import time
from typing import Final

from mdm.db.transaction import reading
from mdm.entities.model import Origin
from mdm.hub import Hub
from mdm.sources.service import systems

REFRESH_S: Final = 5.0  # chosen: whoever corrects a system sends its records again by hand, later than this


class KnownInstances:
    """The instances as one call knows them: one that was never seen lets it look, once, as does what is old."""

    def __init__(self, hub: Hub) -> None:
        """Begin with what this process has seen until now."""
        self._hub = hub
        self._has_looked = False
        if time.monotonic() - hub.instances_seen.at >= REFRESH_S:
            self._look()

    def __contains__(self, name: object) -> bool:
        """Tell whether an instance of this id is registered."""
        if name not in self._hub.instances_seen.systems and not self._has_looked:
            self._look()
        return name in self._hub.instances_seen.systems

    def __getitem__(self, name: str) -> str:
        """Return the system of an instance that is registered."""
        return self._hub.instances_seen.systems[name]

    def origin_of(self, name: str) -> Origin:
        """Return an instance with its system; one that nobody registered has none."""
        return Origin(name, self[name]) if name in self else Origin(name)

    def _look(self) -> None:
        self._has_looked = True
        began = time.monotonic()
        with reading(self._hub.engine) as connection:
            self._hub.instances_seen.systems.update(systems(connection))
        self._hub.instances_seen.at = began
