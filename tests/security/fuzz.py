"""Calls of the API with whatever the document allows, and more; the same calls in every run.

The people are rows of their own in the server's database, since one of them may do a hundred things a minute only.
"""

from __future__ import annotations

import itertools
import sqlite3
import time
import uuid
import warnings
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import hypothesis
import requests
import schemathesis
from requests.adapters import HTTPAdapter
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks as conformance

from medianest.accounts.tokens import TokenMaker
from tests.harness.server import Server

KEY = "0123456789abcdef0123456789abcdef-for-fuzzing"
ACTS_EACH = 80
CHECKS = (
    schemathesis.checks.not_a_server_error,
    conformance.status_code_conformance,
    conformance.content_type_conformance,
    conformance.response_schema_conformance,
)


def people(server: Server, role: str) -> Iterator[str]:
    """Access tokens of new people, without end."""
    tokens = TokenMaker(KEY.encode())
    now = datetime.now(UTC)
    numbers = itertools.count(1)
    while True:
        number, session = next(numbers), uuid.uuid4()
        database = sqlite3.connect(server.data_dir / "medianest.sqlite", timeout=20)
        try:
            name = f"fuzz-{role}-{number}"
            made = database.execute(
                "INSERT INTO users (username, username_key, display_name, role, state, created_at) "
                "VALUES (?, ?, ?, ?, 'active', ?)",
                (name, name, name, role, now.isoformat(" ")),
            )
            database.execute(
                "INSERT INTO user_sessions (id, user_id, refresh_hash, is_remembered, device_name, user_agent, address, "
                "created_at, last_used_at, expires_at) VALUES (?, ?, ?, 0, '', '', '', ?, ?, ?)",
                (
                    str(session), made.lastrowid, uuid.uuid4().hex, now.isoformat(" "), now.isoformat(" "),
                    (now + timedelta(days=1)).isoformat(" "),
                ),
            )  # fmt: skip
            database.commit()
        finally:
            database.close()
        assert made.lastrowid is not None
        yield tokens.access(made.lastrowid, session)


class From(HTTPAdapter):
    """Calls from another address of this machine: limits count by address too."""

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, source_address=(self._address, 0), **options)


class Fuzzer:
    """Calls every operation of the document as people of `role`; `failures` are sentences about what did not fit."""

    def __init__(self, server: Server, role: str, *, examples: int, budget_s: float) -> None:
        self.failures: list[str] = []
        self.calls = 0
        self.statuses: Counter[int] = Counter()
        self.refused: Counter[str] = Counter()  # operations by answers of 429
        self._server = server
        self._tokens = people(server, role)
        self._turns = itertools.count(2)
        self._next_person()
        self._examples = examples
        self._budget_s = budget_s

    def run(self) -> None:
        """Try all operations, each for its share of the time at most."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the tools: nothing of ours runs in this process
            with self._server.visitor() as client:
                document = client.get("/api/v1/openapi.json", headers=self._headers()).json()
            schema = schemathesis.openapi.from_dict(document)
            operations = [found.ok() for found in schema.get_all_operations()]
            for operation in operations:
                self._try(operation, self._budget_s / len(operations))

    def _next_person(self) -> None:
        self._acts, self._token = 0, next(self._tokens)
        self._session = requests.Session()
        self._session.trust_env = False
        turn = next(self._turns)
        self._session.mount("http://", From(f"127.0.{turn // 200}.{turn % 200 + 1}"))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._token}"}

    def _try(self, operation: Any, budget_s: float) -> None:
        end = time.monotonic() + budget_s

        @hypothesis.seed(7)
        @hypothesis.settings(
            max_examples=self._examples, derandomize=True, database=None, deadline=None,
            suppress_health_check=list(hypothesis.HealthCheck), phases=[hypothesis.Phase.generate],
        )  # fmt: skip
        @hypothesis.given(case=operation.as_strategy())
        def one(case: Any) -> None:
            if time.monotonic() < end:
                self._call(case)

        try:
            one()
        except (FailureGroup, AssertionError) as error:
            reasons = error.exceptions if isinstance(error, FailureGroup) else (error,)
            self.failures += [f"{operation.label}: {reason}" for reason in reasons]

    def _call(self, case: Any) -> None:
        self._acts += 1
        if self._acts >= ACTS_EACH:
            self._next_person()
        try:
            answer = case.call(
                base_url=self._server.base_url, headers=self._headers(), session=self._session, timeout=20
            )
        except ValueError:  # what no client can send
            return
        self.calls += 1
        self.statuses[answer.status_code] += 1
        self.refused[case.operation.label] += answer.status_code == 429
        if answer.status_code == 401:  # signed out by a call before
            self._next_person()
        case.validate_response(answer, checks=CHECKS)
