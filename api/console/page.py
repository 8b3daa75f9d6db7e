"""The order in which every page asks: who, how much, whether, whence, how large, what. The API's own table rules it.

A page knows its visitor by a cookie that scripts cannot read and other sites' requests do not carry. Whatever changes
anything needs the session's token besides, in a field of the form or a header, and comes from our own pages only.
"""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any, Final, cast
from urllib.parse import parse_qsl, quote, urlsplit

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool

from api import gate, rates
from api.access_table import ACCESS, Access
from api.console import refusals
from api.console.file_form import MEDIA_TYPE, read_file_form
from api.console.render import redirect
from api.console.visit import Form, Visit, is_part
from api.console.words import language_for
from api.dependencies import Opened, opened_by
from api.errors import HttpRefusal
from mdm.access.model import Verb
from mdm.access.people_model import Session
from mdm.errors import Forbidden

COOKIE: Final = "mdm_session"
_FIELDS_MAX: Final = 2_000  # chosen: a split of a large golden record names each of its records
_HELD_LENGTH_MAX: Final = 200  # chosen: an id and a digest
_OWN: Final = frozenset({"same-origin", "none"})

Answer = Callable[[Request], Coroutine[Any, Any, Response]]


class PageRoute(APIRoute):
    """A route of FastAPI behind the session, the table of access and the gate of forms; its refusals are pages."""

    def get_route_handler(self) -> Answer:
        """Wrap FastAPI's own handling; a page that the access table does not know is a KeyError at the start."""
        method = min(cast("set[str]", self.methods))
        access = ACCESS[method, self.path]
        return _guard(super().get_route_handler(), access, f"{method} {self.path}")


async def visit_from(request: Request) -> Visit:
    """Find out who comes, and in which language, from what a request brings along."""
    opened = opened_by(request)
    session = await _session(opened, request.cookies.get(COOKIE))
    language = language_for(session.person.locale if session else None, request.headers.get("accept-language", ""))
    held = request.headers.get("x-held", "")[:_HELD_LENGTH_MAX]
    return Visit(opened, session, language, Form(), is_part(request), request.url.path, _address(request), held)


def _guard(answer: Answer, access: Access, name: str) -> Answer:
    async def guarded(request: Request) -> Response:
        scope = request.scope
        scope["mdm.route"] = name
        visit = scope["mdm.visit"] = await visit_from(request)
        opened, session = visit.opened, visit.session
        try:
            gate.check_address(scope["query_string"], scope.get("raw_path", b""))
            if access.verb is not None:
                if session is None:
                    return redirect(visit, _door(request))
                scope["mdm.principal"] = session.person.principal
                await rates.charge(scope, opened, session.person.principal, access)
                _require(session, access.verb)
            if access.is_unsafe:
                visit = await _with_form(request, visit, access)
                scope["mdm.visit"] = visit
            return await answer(request)
        except Exception as error:  # noqa: BLE001 -- whatever it is, the visitor gets a page
            return refusals.answer(visit, error, request_id=str(scope.get("mdm.request_id", "")))

    return guarded


def _require(session: Session, verb: Verb) -> None:
    if not session.person.principal.holds(verb):
        raise Forbidden("your role does not open this page", remedy="ask an administrator of the hub for the role")


async def _session(opened: Opened, token: str | None) -> Session | None:
    if not token:
        return None
    # Most sessions are remembered: no thread has to be woken for those.
    return opened.sessions.cached(token) or await run_in_threadpool(opened.sessions.read, token)


def _door(request: Request) -> str:
    """Return the address of the sign-in page that leads back to where the visitor wanted to go."""
    wanted = ""
    if is_part(request):
        # What htmx asked for is a part of a page, or a form of it: the page itself is where to come back to.
        shown = urlsplit(request.headers.get("hx-current-url", ""))
        wanted = shown.path + (f"?{shown.query}" if shown.path and shown.query else "")
    if not wanted and request.method == "GET":
        wanted = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    if wanted in {"", "/"}:
        return "/sign-in"
    return f"/sign-in?next={quote(wanted, safe='/')}"


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


async def _with_form(request: Request, visit: Visit, access: Access) -> Visit:
    """Read and check the form of an unsafe request; raises HttpRefusal."""
    settings = visit.hub.settings
    bytes_max = settings.batch_body_bytes_max if access.body in {"batch", "file"} else settings.body_bytes_max
    raw = await gate.read_bounded(request, bytes_max)
    form = await _form(request, raw, access)
    if not _is_from_here(request):
        raise HttpRefusal(403, "not_from_here", "the request comes from another site", remedy="open the page here")
    if visit.session is not None and access.verb is not None:
        token = request.headers.get("x-csrf-token") or next(iter(form.many("csrf")), "")
        if not visit.session.is_own_csrf(token):
            raise HttpRefusal(
                403, "form_outdated", "this form belongs to another session", remedy="load the page again"
            )
    return replace(visit, form=form)


def _is_from_here(request: Request) -> bool:
    """Tell whether a page of ours sent a form: the browser says so, or an older one names where it comes from."""
    site, origin = request.headers.get("sec-fetch-site"), request.headers.get("origin")
    if site is not None:
        return site in _OWN
    return origin is None or urlsplit(origin).netloc == request.headers.get("host")


async def _form(request: Request, raw: bytes, access: Access) -> Form:
    """Take a form apart; one with a file only where the table of access says so."""
    content_type = request.headers.get("content-type", "")
    if access.body == "file" and content_type.partition(";")[0].strip().lower() == MEDIA_TYPE:
        return await read_file_form(request, raw)
    return Form(_fields(raw, content_type))


def _fields(raw: bytes, content_type: str) -> dict[str, list[str]]:
    if not raw:
        return {}
    if content_type.partition(";")[0].strip().lower() != "application/x-www-form-urlencoded":
        raise HttpRefusal(415, "media_type_unsupported", "this is no form", remedy="send the form of the page")
    try:
        pairs = parse_qsl(
            raw.decode(), keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=_FIELDS_MAX
        )
    except ValueError as error:
        raise HttpRefusal(
            400, "form_malformed", "the form is not UTF-8 text, or too long", remedy="send less"
        ) from error
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\0" in name or "\0" in value:
            raise HttpRefusal(422, "nul_character", "a text holds the character U+0000", remedy="remove it")
        fields.setdefault(name, []).append(value.replace("\r\n", "\n"))
    return fields
