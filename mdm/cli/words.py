"""Words around numbers and names, the same in every command."""

from collections.abc import Sequence


def counted(count: int, noun: str) -> str:
    """Write a count with its noun, as in `1 record` and `2,000 records`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def looks_like(entity_types: Sequence[str], verb: str) -> str:
    """Say which entity types the columns of files look like, and how to name one; "" where they look like none."""
    named = " or ".join(f"--entity {name}" for name in entity_types)
    return f"the columns look like {' or '.join(entity_types)}: {verb} them with {named}" if entity_types else ""


def marked(ended: str | None) -> str:
    """Write behind a source key why its source uses it no more, nothing where it does."""
    return f"  ({ended.replace('_', ' ')})" if ended else ""
