"""Which source instances there are, as far as a process has seen: none goes away or changes system."""

from mdm.db.transaction import reading
from mdm.entities.model import Origin
from mdm.hub import Hub
from mdm.sources.service import systems


class KnownInstances:
    """The instances as one call knows them: one that was never seen lets it look, once."""

    def __init__(self, hub: Hub) -> None:
        """Begin with what this process has seen until now."""
        self._hub = hub
        self._has_looked = False

    def __contains__(self, name: object) -> bool:
        """Tell whether an instance of this id is registered."""
        if name not in self._hub.instances_seen and not self._has_looked:
            self._has_looked = True
            with reading(self._hub.engine) as connection:
                self._hub.instances_seen.update(systems(connection))
        return name in self._hub.instances_seen

    def __getitem__(self, name: str) -> str:
        """Return the system of an instance that is registered."""
        return self._hub.instances_seen[name]

    def origin_of(self, name: str) -> Origin:
        """Return an instance with its system; one that nobody registered has none."""
        return Origin(name, self[name]) if name in self else Origin(name)
