"""What is missing where the client of a broker was not installed."""

from mdm.errors import Unavailable


def extra_missing(extra: str, what: str) -> Unavailable:
    """Say which extra of the package brings the client that a connector needs."""
    return Unavailable(
        f"the client for {what} is not installed",
        remedy=f"install it with `pip install 'mdm-hub[{extra}]'`",
    )
