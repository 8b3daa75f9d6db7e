"""Signing in and out: with a password, with a link that works once, with the company's own sign-in."""

from typing import Annotated, Final
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel

from api.console.page import COOKIE, PageRoute
from api.console.render import page, redirect
from api.console.visit import TheVisit, Visit
from mdm.access import oidc, sessions
from mdm.access.passwords import PasswordCost
from mdm.access.people_model import Chosen, NewSession
from mdm.errors import InputInvalid, SignInRefused, SignInThrottled, Unavailable

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)

# The longest that a session can last; the hub ends it earlier by itself.
_COOKIE_LIFE_S: Final = 7 * 24 * 3600
# What ties a sign-in elsewhere to the browser that began it.
_BINDING: Final = "mdm_sign_in"


class Said(BaseModel):
    """What the company's sign-in sends along; the last two are for people, and left unread."""

    state: str = ""
    code: str | None = None
    error: str | None = None
    iss: str | None = None
    error_description: str = ""
    session_state: str = ""


Next = Annotated[str, Query(alias="next")]


@router.get("/sign-in")
def door(visit: TheVisit, wanted: Next = "") -> Response:
    """Show the form; who has signed in already goes on."""
    return redirect(visit, own_path(wanted)) if visit.session is not None else _door(visit, wanted)


@router.post("/sign-in")
def sign_in(visit: TheVisit, request: Request) -> Response:
    """Check a password; the words of a refusal never tell whether the name exists."""
    login, wanted = visit.form.one("login"), visit.form.one("next")
    try:
        opened = sessions.sign_in(
            visit.hub.engine,
            login,
            visit.form.one("password"),
            address=visit.address,
            cost=PasswordCost.of(visit.hub.settings),
        )
    except SignInThrottled as error:
        words = visit.text("Too many attempts. Try again in %(seconds)s seconds.") % {"seconds": error.retry_after_s}
        return _door(visit, wanted, login=login, refused=words, status=429)
    except SignInRefused:
        words = visit.text("The name or the password is not right.")
        return _door(visit, wanted, login=login, refused=words, status=401)
    return _signed_in(visit, own_path(wanted), opened, request)


@router.get("/sign-in/link/{token}")
def link(visit: TheVisit, token: str) -> Response:
    """Show what a link that works once is for; one that does not hold any more says so."""
    return _link(visit, token)


@router.post("/sign-in/link/{token}")
def redeem(visit: TheVisit, token: str, request: Request) -> Response:
    """Take the password that somebody chose, and sign in."""
    form = visit.form
    chosen = Chosen(form.one("name"), form.one("password"), form.one("login") or None)
    try:
        opened = sessions.redeem_link(
            visit.hub.engine, token, chosen, address=visit.address, cost=PasswordCost.of(visit.hub.settings)
        )
    except InputInvalid as error:
        return _link(visit, token, chosen, refused=f"{error.message}. {error.remedy or ''}")
    return _signed_in(visit, "/", opened, request)


@router.get("/sign-in/oidc")
def begin_elsewhere(visit: TheVisit, request: Request, wanted: Next = "") -> Response:
    """Send the visitor to the company's own sign-in."""
    provider = visit.opened.provider
    if provider is None:
        return redirect(visit, "/sign-in")
    own = visit.hub.settings.public_url
    back = (
        f"{own.rstrip('/')}{oidc.CALLBACK_PATH}" if own else str(request.url.replace(path=oidc.CALLBACK_PATH, query=""))
    )
    try:
        begun = oidc.begin(visit.hub.engine, provider, redirect_uri=back, return_to=own_path(wanted))
    except Unavailable as error:
        return _door(visit, wanted, refused=f"{error.message}. {error.remedy or ''}", status=503)
    answer = Response(status_code=303, headers={"location": begun.url})
    answer.set_cookie(
        _BINDING, begun.binding, max_age=600, path="/sign-in", httponly=True, secure=_is_safe(request), samesite="lax"
    )
    return answer


@router.get("/sign-in/oidc/callback")
def come_back(visit: TheVisit, request: Request, said: Annotated[Said, Query()]) -> Response:
    """Take what the company's sign-in says of the visitor."""
    provider = visit.opened.provider
    if provider is None:
        return redirect(visit, "/sign-in")
    answer = oidc.OidcAnswer(said.state, request.cookies.get(_BINDING, ""), said.code, said.error, said.iss)
    try:
        opened = oidc.finish(visit.hub.engine, provider, answer, address=visit.address)
    except (SignInRefused, Unavailable) as refusal:
        return _door(visit, "", refused=f"{refusal.message}. {refusal.remedy or ''}", status=401)
    return _signed_in(visit, own_path(opened.return_to), opened, request)


@router.post("/sign-out")
def sign_out(visit: TheVisit, request: Request) -> Response:
    """End the session here; the others of the same person go on."""
    if visit.session is not None:
        sessions.sign_out(visit.hub.engine, visit.session, address=visit.address)
        visit.opened.sessions.forget(request.cookies[COOKIE])
    answer = redirect(visit, "/sign-in")
    answer.delete_cookie(COOKIE, path="/")
    return answer


def own_path(url: str) -> str:
    """Return an address of our own, or the first page: nobody is sent to another site."""
    parts = urlsplit(url)
    is_own = url.startswith("/") and not url.startswith(("//", "/\\")) and not parts.netloc and not parts.scheme
    return url if is_own and url.isprintable() and "\\" not in url else "/"


def _door(visit: Visit, wanted: str, *, login: str = "", refused: str = "", status: int = 200) -> Response:
    is_oidc = visit.opened.provider is not None
    return page(visit, "sign_in.html", status=status, next=wanted, login=login, refused=refused, is_oidc=is_oidc)


def _link(visit: Visit, token: str, chosen: Chosen | None = None, *, refused: str = "") -> Response:
    person = sessions.look_at_link(visit.hub.engine, token).person
    return page(
        visit,
        "link.html",
        status=422 if refused else 200,
        token=token,
        login=person.login if person else (chosen.login or "" if chosen else ""),
        name=chosen.name if chosen else person.name if person else "",
        is_known=person is not None,
        refused=refused,
    )


def _signed_in(visit: Visit, url: str, opened: NewSession, request: Request) -> Response:
    answer = redirect(visit, url)
    answer.set_cookie(
        COOKIE,
        opened.token,
        max_age=_COOKIE_LIFE_S,
        path="/",
        httponly=True,
        secure=_is_safe(request),
        samesite="lax",
    )
    answer.delete_cookie(_BINDING, path="/sign-in")
    return answer


def _is_safe(request: Request) -> bool:
    return request.url.scheme == "https"
