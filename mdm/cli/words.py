"""Words around numbers, the same in every command."""


def counted(count: int, noun: str) -> str:
    """Write a count with its noun, as in `1 record` and `2,000 records`."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def marked(ended: str | None) -> str:
    """Write behind a source key why its source uses it no more, nothing where it does."""
    return f"  ({ended.replace('_', ' ')})" if ended else ""
