"""The document of the API: every call is in it with a summary, and what the simple calls answer is what it says."""

from __future__ import annotations

from typing import Any

from litestar.routes import HTTPRoute

from medianest.app import Application
from tests.harness.application import Visit, set_up, sign_in

KINDS: dict[str, type | tuple[type, ...]] = {
    "string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict, "null": type(None),
}  # fmt: skip


def misfits(value: Any, schema: dict[str, Any], document: dict[str, Any], at: str = "") -> list[str]:
    """Where `value` is not what `schema` says; as much of JSON Schema as the document uses."""
    if reference := schema.get("$ref"):
        return misfits(value, document["components"]["schemas"][reference.rpartition("/")[2]], document, at)
    for choice in ("oneOf", "anyOf"):
        if choice in schema:
            each = [misfits(value, one, document, at) for one in schema[choice]]
            return [] if [] in each else each[0]
    if "const" in schema and value != schema["const"]:
        return [f"{at} is {value!r}"]
    if "enum" in schema and value not in schema["enum"]:
        return [f"{at} is {value!r}"]
    kinds = schema.get("type", [])
    wanted = [kinds] if isinstance(kinds, str) else kinds
    if wanted and not any(isinstance(value, KINDS[kind]) for kind in wanted):
        return [f"{at} is {value!r}, not {wanted}"]
    found = []
    if isinstance(value, dict):
        own = schema.get("properties", {})
        found += [f"{at}.{name} is missing" for name in schema.get("required", ()) if name not in value]
        found += [f"{at}.{name} is not in the document" for name in value if own and name not in own]
        for name, one in own.items():
            if name in value:
                found += misfits(value[name], one, document, f"{at}.{name}")
    if isinstance(value, list):
        for one in value:
            found += misfits(one, schema.get("items", {}), document, f"{at}[]")
    return found


async def document_of(application: Application, visit: Visit) -> tuple[Any, dict[str, Any]]:
    """A client signed in by token, and the document."""
    await set_up(visit(application), application)
    token = (await sign_in(visit(application), cookies=False)).json()["access_token"]
    client = visit(application, headers={"Authorization": f"Bearer {token}"})
    return client, (await client.get("/api/v1/openapi.json")).json()


async def test_every_call_stands_in_the_document_with_a_summary(application: Application, visit: Visit) -> None:
    _client, document = await document_of(application, visit)
    routes = {
        (method.lower(), route.path_format)
        for route in application.asgi._app.routes
        if isinstance(route, HTTPRoute) and route.path.startswith("/api/v1/")
        for handler in route.route_handlers
        for method in handler.http_methods
        if method != "OPTIONS" and "openapi" not in route.path
    }
    documented = {
        (method, path) for path, calls in document["paths"].items() for method in calls if method != "parameters"
    }
    assert documented == routes
    for path, calls in document["paths"].items():
        for method, call in calls.items():
            if method == "parameters":
                continue
            assert call.get("summary"), (method, path)
            assert call["tags"], (method, path)
            assert any(status.startswith("2") for status in call["responses"]), (method, path)


async def test_what_the_simple_calls_answer_is_what_the_document_says(application: Application, visit: Visit) -> None:
    client, document = await document_of(application, visit)
    tried = 0
    for path, calls in document["paths"].items():
        if "get" not in calls or "{" in path:
            continue
        answer = await client.get(path)
        assert answer.status_code == 200, path
        schema = calls["get"]["responses"]["200"]["content"]["application/json"]["schema"]
        assert misfits(answer.json(), schema, document) == [], path
        tried += 1
    assert tried >= 5
    for method, path, body, status in (
        ("post", "/api/v1/auth/login", {"username": "ada", "password": "correct-Horse-7-battery"}, "200"),
        ("patch", "/api/v1/me/preferences", {"theme": "light"}, "200"),
    ):
        answer = await client.request(method, path, json=body)
        call = document["paths"][path][method]
        sent = call["requestBody"]["content"]["application/json"]["schema"]
        assert misfits(body, sent, document) == []
        assert misfits({"username": 1, "theme": "pink"}, sent, document)
        assert (
            misfits(answer.json(), call["responses"][status]["content"]["application/json"]["schema"], document) == []
        )


async def test_the_calls_for_strangers_ask_for_no_token_in_the_document(application: Application, visit: Visit) -> None:
    _client, document = await document_of(application, visit)
    open_calls = {
        path
        for path, calls in document["paths"].items()
        for call in calls.values()
        if call.get("security") == [] or call.get("security") == [{}]
    }
    assert open_calls == {
        "/api/v1/setup",
        "/api/v1/auth/login",
        "/api/v1/auth/refresh",
        "/api/v1/auth/plex/pins",
        "/api/v1/auth/plex/pins/{pin_id}",
        "/api/v1/webhooks/overseerr",
    }


async def test_errors_are_in_the_document_as_they_are_sent(application: Application, visit: Visit) -> None:
    client, document = await document_of(application, visit)
    for calls in document["paths"].values():
        for call in calls.values():
            assert [status for status in call["responses"] if status[0] in "45"] == []
            assert set(call["responses"]["default"]["content"]) == {"application/problem+json"}
    schema = document["paths"]["/api/v1/me"]["get"]["responses"]["default"]["content"]["application/problem+json"][
        "schema"
    ]
    for answer in (
        await client.get("/api/v1/downloads/999"),
        await client.patch("/api/v1/me/preferences", json={"theme": "pink"}),
        await client.post("/api/v1/me/password", json={"current_password": "x", "new_password": "x"}),
    ):
        assert answer.status_code >= 400
        assert misfits(answer.json(), schema, document) == []
    assert misfits({"title": "x"}, schema, document)
