"""What a migration step may do, in words that both engines understand."""

from __future__ import annotations

from typing import Any

from medianest.database import Engine

TOKENS = {
    # the first word picks Piccolo's converter on SQLite, the second the column's affinity
    "sqlite": {
        "pk": "INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL",
        "uuid": "UUID TEXT",
        "json": "JSON TEXT",
        "ts": "TIMESTAMPTZ TEXT",
        "date": "DATE TEXT",
        "bool": "BOOLEAN",
        "blob": "BLOB",
        "unlogged": "",
    },
    "postgres": {
        "pk": "BIGSERIAL PRIMARY KEY NOT NULL",
        "uuid": "UUID",
        "json": "JSONB",
        "ts": "TIMESTAMPTZ",
        "date": "DATE",
        "bool": "BOOLEAN",
        "blob": "BYTEA",
        "unlogged": "UNLOGGED",
    },
}


class Operations:
    """What a step may do. `run` takes one DDL statement with the tokens above in braces."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def is_postgres(self) -> bool:
        return self.engine.engine_type == "postgres"

    async def run(self, statement: str) -> Any:
        for token, text in TOKENS[self.engine.engine_type].items():
            statement = statement.replace("{" + token + "}", text)
        return await self.engine.run_ddl(statement)
