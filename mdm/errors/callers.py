"""The caller is not known, not allowed, too fast or too large."""

from mdm.errors.roots import Refused


class Unauthenticated(Refused):
    """The caller did not prove who it is."""

    code = "unauthenticated"


class SignInRefused(Unauthenticated):
    """Somebody could not be signed in."""

    code = "sign_in_refused"


class SignInThrottled(Refused):
    """Too many attempts to sign in failed; the next one has to wait."""

    code = "sign_in_throttled"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(
            f"too many attempts failed; the next one may be made in {retry_after_s} s",
            remedy="wait, or ask an administrator for a one-time link",
        )
        self.retry_after_s = retry_after_s


class RateExceeded(Refused):
    """The caller asked more than its rate allows."""

    code = "rate_exceeded"

    def __init__(self, message: str, *, rate: str, retry_after_s: int) -> None:
        """Name the rate and the seconds after which what was asked is allowed."""
        super().__init__(
            message, remedy=f"send it again after {retry_after_s} s, or ask an administrator for a higher rate"
        )
        self.rate = rate
        self.retry_after_s = retry_after_s


class LinkUnusable(Refused):
    """A one-time link was used before, has expired, was replaced, or never was one."""

    code = "link_unusable"


class Forbidden(Refused):
    """The caller may not do this."""

    code = "forbidden"


class TooLarge(Refused):
    """The request is larger than the stated bound."""

    code = "too_large"
