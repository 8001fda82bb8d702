"""The document of the API and a reader for it, without a foreign host."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import MediaType, Request, Response, Router, get
from litestar.di import NamedDependency
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme
from litestar.routes import HTTPRoute

from medianest import __version__
from medianest.web.errors import PROBLEM_JSON, Problem
from medianest.web.static_files import StaticFiles
from medianest.web.urls import Urls

DESCRIPTION = (
    "Everything the pages do. Sign in with `POST /auth/login`; send the access token as `Authorization: Bearer …`, "
    "or an API key as `X-Api-Key: …` where a call names the scope it needs. "
    "Errors are `application/problem+json`. Times are ISO 8601 UTC, sizes bytes, durations seconds."
)


class DocumentOfProblems(JsonRenderPlugin):
    """Says of every call how it fails: the framework knows only its own errors, not our problem+json."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        _schemas, components = msgspec.json.schema_components((Problem,), ref_template="#/components/schemas/{name}")
        openapi_schema["components"]["schemas"] |= components
        content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
        for calls in openapi_schema["paths"].values():
            for call in calls.values():
                fine = {status: text for status, text in call["responses"].items() if status.startswith("2")}
                for answer in (fine[status] for status in fine if status == "204"):
                    answer.pop("content", None)  # the framework describes what a `Response[None]` never has
                call["responses"] = {**fine, "default": {"description": "Refused or failed", "content": content}}
        return super().render(request, openapi_schema)


async def know_every_handler(request: Request[Any, Any, Any]) -> None:
    """Make every handler ready, see `lean.py`: the document tells what each of them takes."""
    for route in request.app.routes:
        if isinstance(route, HTTPRoute):
            for method in route.methods:
                _ready = route.route_handler_map[method]


def openapi_config(urls: Urls) -> OpenAPIConfig:
    """The document lies at `/api/v1/openapi.json`; it is made when first asked for."""
    from litestar.openapi.spec import Server

    return OpenAPIConfig(
        title="MediaNest",
        version=__version__,
        description=DESCRIPTION,
        # a folder of its own: the framework answers everything else in it with a page
        openapi_router=Router(
            "/api/v1/openapi.json", route_handlers=[], include_in_schema=False, before_request=know_every_handler
        ),
        servers=[Server(url=urls.base_path or "/")],
        render_plugins=[DocumentOfProblems(path="/")],
        security=[{"bearer": []}, {"apiKey": []}],
        components=Components(
            security_schemes={
                "bearer": SecurityScheme(type="http", scheme="bearer", bearer_format="JWT"),
                "apiKey": SecurityScheme(type="apiKey", name="X-Api-Key", security_scheme_in="header"),
            }
        ),
        use_handler_docstrings=True,
    )


@get("/api/docs", media_type=MediaType.HTML, include_in_schema=False)
async def reader(urls: NamedDependency[Urls], static_files: NamedDependency[StaticFiles]) -> Response[str]:
    """The document as a page, by Swagger UI from our own files."""
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>API · MediaNest</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="{static_files.url("icons/icon.svg")}" type="image/svg+xml">'
        f'<link rel="stylesheet" href="{static_files.url("vendor/swagger-ui/swagger-ui.css")}"></head>'
        f'<body><main id="reader" data-document="{urls.to("/api/v1/openapi.json")}"></main>'
        f'<script src="{static_files.url("vendor/swagger-ui/swagger-ui-bundle.js")}"></script>'
        f'<script type="module" src="{static_files.url("js/api-reader.js")}"></script></body></html>'
    )
    return Response(page, media_type=MediaType.HTML)
