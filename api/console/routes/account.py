"""One's own settings: language, light or dark, single-letter keys, password."""

from typing import Final

from fastapi import APIRouter, Request, Response

from api.console.page import COOKIE, PageRoute
from api.console.render import page, redirect
from api.console.visit import TheVisit, Visit
from mdm.access import people, sessions
from mdm.access.passwords import PasswordCost
from mdm.db.transaction import run
from mdm.errors import Conflict, InputInvalid, SignInRefused, SignInThrottled

router: Final = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/me")
def settings(visit: TheVisit) -> Response:
    """Show one's own settings."""
    return page(visit, "account.html", refused="")


@router.post("/me")
def change(visit: TheVisit, request: Request) -> Response:
    """Take over language, theme and keys."""
    form = visit.form
    _change(visit, request, form.one("locale"), form.one("theme"), has_shortcuts=bool(form.one("shortcuts")))
    return redirect(visit, "/me")


@router.post("/me/theme")
def change_theme(visit: TheVisit, request: Request) -> Response:
    """Remember light or dark, as the button in the frame says."""
    person = visit.person
    _change(visit, request, person.locale, visit.form.one("theme"), has_shortcuts=person.has_shortcuts)
    return Response(status_code=204)


@router.post("/me/password")
def change_password(visit: TheVisit) -> Response:
    """Take a new password for who knows the old one; every session of the person ends."""
    assert visit.session is not None, "the access table asks for one"
    try:
        sessions.change_own_password(
            visit.hub.engine,
            visit.session,
            visit.form.one("old"),
            visit.form.one("new"),
            cost=PasswordCost.of(visit.hub.settings),
        )
    except (InputInvalid, SignInRefused, SignInThrottled, Conflict) as error:
        return page(visit, "account.html", status=422, refused=f"{error.message}. {error.remedy or ''}")
    return redirect(visit, "/sign-in")


def _change(visit: Visit, request: Request, locale: str, theme: str, *, has_shortcuts: bool) -> None:
    run(
        visit.hub.engine,
        lambda connection: people.change_own_settings(
            connection, visit.person.id, locale=locale, theme=theme, has_shortcuts=has_shortcuts
        ),
    )
    visit.opened.sessions.forget(request.cookies[COOKIE])
