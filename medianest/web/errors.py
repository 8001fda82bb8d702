"""Every error as an answer: problem+json below /api/, a fragment for htmx, else a page. Never a traceback."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import msgspec
from litestar import MediaType, Request, Response, route
from litestar.exceptions import HTTPException, ValidationException

from medianest.errors import Invalid, MediaNestError, NotFound, NotSignedIn, PasswordChangeNeeded, TooMany
from medianest.logs import request_id
from medianest.walls.rules import SAFE_METHODS

if TYPE_CHECKING:
    from medianest.web.templating import Templates
    from medianest.web.urls import Urls

log = logging.getLogger(__name__)

PROBLEM_JSON = "application/problem+json"
CRASH = "Something went wrong on our side. Try again; if it stays, tell the owner the number below."

FRAMEWORK_MESSAGES = {
    400: (
        "That does not fit",
        "invalid",
        "What was sent can not be understood. Go back, load the page again and repeat it.",
    ),
    401: ("Please sign in", "not_signed_in", "Please sign in to go on."),
    403: ("Not allowed", "not_allowed", "You may not do this."),
    404: (
        "Not found",
        "not_found",
        "There is nothing at this address. It may have moved, or the link is not complete.",
    ),
    405: ("Not possible here", "method_not_allowed", "This address does not take that kind of call."),
    413: ("Too large", "too_large", "That is more than can be sent at once."),
    415: ("Wrong kind", "unsupported_media_type", "This kind of content is not taken here. Send JSON."),
}


class FieldProblem(msgspec.Struct, frozen=True):
    field: str
    message: str


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of every error of the API (RFC 9457). `detail` is a sentence to act on, `code` a stable name."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    errors: tuple[FieldProblem, ...] = ()


def problem_of(error: Exception) -> Problem:
    """What to tell about `error`; a crash gives nothing of itself away."""
    current = request_id.get()
    if isinstance(error, MediaNestError):
        fields = (
            tuple(FieldProblem(name, text) for name, text in error.fields.items()) if isinstance(error, Invalid) else ()
        )
        return Problem(
            type="about:blank",
            title=error.title,
            status=error.status,
            detail=error.message,
            code=error.code,
            request_id=current,
            errors=fields,
        )
    if isinstance(error, ValidationException | RecursionError):
        # the recursion is JSON that is nested without end: nothing of ours goes deep
        return Problem(
            type="about:blank",
            title="That does not fit",
            status=400,
            detail="Some of what was sent does not fit.",
            code="invalid",
            request_id=current,
            errors=_fields_of(error) if isinstance(error, ValidationException) else (),
        )
    if isinstance(error, HTTPException):
        status = error.status_code
        title, code, detail = FRAMEWORK_MESSAGES.get(
            status, ("Not possible", f"http_{status}", "This can not be done.")
        )
        if status == 403 and error.detail:
            detail = error.detail
        return Problem(type="about:blank", title=title, status=status, detail=detail, code=code, request_id=current)
    return Problem(
        type="about:blank",
        title="Something went wrong",
        status=500,
        detail=CRASH,
        code="internal_error",
        request_id=current,
    )


def _fields_of(error: ValidationException) -> tuple[FieldProblem, ...]:
    extra = error.extra if isinstance(error.extra, list) else []
    return tuple(
        FieldProblem(str(one.get("key", "")), str(one.get("message", ""))) for one in extra if isinstance(one, dict)
    ) or (FieldProblem("", str(error.detail).partition(" for ")[0]),)


class ErrorAnswers:
    """One exception handler for everything, negotiating on what was called and how."""

    def __init__(self, templates: Templates, urls: Urls) -> None:
        self._templates = templates
        self._urls = urls

    def __call__(self, request: Request[Any, Any, Any], error: Exception) -> Response[Any]:
        problem = problem_of(error)
        if problem.status >= 500:
            log.error("%s %s failed", request.scope.get("method", "WS"), called_path(request), exc_info=error)
        headers = {"Retry-After": str(error.retry_after_s)} if isinstance(error, TooMany) else {}
        if isinstance(error, HTTPException) and error.headers and "allow" in {key.lower() for key in error.headers}:
            headers["Allow"] = {key.lower(): value for key, value in error.headers.items()}["allow"]
        if called_path(request).startswith("/api/"):
            return Response(
                msgspec.json.encode(problem), status_code=problem.status, media_type=PROBLEM_JSON, headers=headers
            )
        if isinstance(error, NotSignedIn):
            return self._to_sign_in(request, headers)
        if isinstance(error, PasswordChangeNeeded):
            return self._to_password(request, headers)
        if request.headers.get("HX-Request") and request.headers.get("HX-Request-Type", "partial") == "partial":
            html = self._templates.render("errors/_error.html", {"request": request, **_context(problem)})
            headers |= {"HX-Retarget": "#flash", "HX-Reswap": "innerHTML"}
            return Response(html, status_code=problem.status, media_type=MediaType.HTML, headers=headers)
        html = self._templates.render("errors/page.html", {"request": request, **_context(problem)})
        return Response(html, status_code=problem.status, media_type=MediaType.HTML, headers=headers)

    def _to_password(self, request: Request[Any, Any, Any], headers: dict[str, str]) -> Response[Any]:
        target = self._urls.to("/settings/password")
        if request.headers.get("HX-Request"):
            return Response(b"", status_code=403, headers={**headers, "HX-Redirect": target})
        return Response(b"", status_code=303, headers={**headers, "Location": target})

    def _to_sign_in(self, request: Request[Any, Any, Any], headers: dict[str, str]) -> Response[Any]:
        from urllib.parse import quote

        if request.headers.get("HX-Request"):
            return Response(b"", status_code=401, headers={**headers, "HX-Redirect": self._urls.to("/sign-in")})
        target = self._urls.to("/sign-in")
        path = self._urls.to(called_path(request))
        if request.scope["method"] in SAFE_METHODS and path != self._urls.to("/"):
            query = request.scope.get("query_string", b"").decode("latin-1")
            target += "?next=" + quote(path + ("?" + query if query else ""), safe="/")
        return Response(b"", status_code=303, headers={**headers, "Location": target})


def called_path(request: Request[Any, Any, Any]) -> str:
    """The path as it was called, below the base path; the framework cuts what a route's `path` parameter takes out of its own."""
    raw: bytes = request.scope["raw_path"]
    return raw.decode("utf-8", "surrogateescape")


def _context(problem: Problem) -> dict[str, Any]:
    return {
        "status": problem.status,
        "title": problem.title,
        "message": problem.detail,
        "errors": problem.errors,
        "request_id": problem.request_id if problem.status >= 500 else "",
    }


@route(
    "/{address:path}",
    http_method=["GET", "POST", "PUT", "PATCH", "DELETE"],
    opt={"public": True, "knows_caller": True},
    include_in_schema=False,
)
async def nowhere() -> None:
    """Every address that is none of ours: a route, so that signed-in people keep the frame around the sentence."""
    raise NotFound(FRAMEWORK_MESSAGES[404][2])
