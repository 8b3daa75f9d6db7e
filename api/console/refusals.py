"""Refusals as pages: what happened and what to do, in a page of its own or as a message where htmx asked for a part."""

from typing import Final

from fastapi import Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from api.console.render import page
from api.console.views.sentences import told
from api.console.visit import Visit
from api.errors import HttpRefusal, headers_of, is_unavailable, status_of
from mdm import errors
from mdm.telemetry import logger

_LOG: Final = logger("mdm.console")


def answer(visit: Visit, error: Exception, *, request_id: str) -> Response:
    """Answer a visit with what an exception says; what is nobody's to know stays in the log."""
    status, happened, remedy = _told(error)
    happened, remedy = told(happened, visit.text), told(remedy, visit.text)
    if status >= 500 and status != 503:
        _LOG.error("page failed", request_id=request_id, exc_info=error)
    template = "refusal_part.html" if visit.is_part else "refusal.html"
    # A part goes where messages go, whatever the request wanted to change.
    headers = {"hx-retarget": "#toast", "hx-reswap": "innerHTML"} if visit.is_part else {}
    if isinstance(error, errors.RateExceeded):
        headers |= headers_of(error)
    return page(
        visit, template, status=status, headers=headers, happened=happened, remedy=remedy, request_id=request_id
    )


def _told(error: Exception) -> tuple[int, str, str]:
    if isinstance(error, HttpRefusal):
        return error.status, error.detail, error.remedy
    if isinstance(error, HTTPException):
        return error.status_code, str(error.detail), ""
    if isinstance(error, RequestValidationError):
        return 422, "the address is not one of this page", "go back and follow a link"
    if is_unavailable(error):
        return 503, "the database does not answer", "try again in a few seconds; nothing was changed"
    if isinstance(error, errors.HubError) and (status := status_of(type(error))) < 500:
        return status, error.message, error.remedy or ""
    if isinstance(error, errors.HubError) and status_of(type(error)) == 503:
        return 503, error.message, error.remedy or "try again in a few seconds"
    return 500, "the hub failed", "try again; if it fails again, report the number below to whoever runs the hub"
