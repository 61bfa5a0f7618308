"""Writes the entity-relationship diagrams of docs/architecture.md from rxchat/tables: `make data-model`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Column, Table
from sqlalchemy.dialects import postgresql
from sqlmodel import SQLModel

from rxchat import tables

PAGE = Path(__file__).resolve().parents[1] / "docs" / "architecture.md"
BEGIN, END = "<!-- Written by `make data-model` from rxchat/tables. -->", "<!-- End of what it writes. -->"
_CAPABILITIES = {
    "accounts": "accounts",
    "credentials": "accounts",
    "programs": "accounts",
    "access": "access",
    "audit": "access",
    "models": "models",
    "usage": "models",
    "documents": "documents and retrieval",
    "conversations": "chat",
    "assistants": "chat",
    "prompts": "chat",
    "imports": "chat",
    "organizing": "chat",
    "runs": "chat",
}
"""The capability of each module of rxchat/tables; the others are of the platform."""
_ORDER = ("platform", "accounts", "access", "models", "documents and retrieval", "chat")
_TYPES = {"VARCHAR": "text", "VARCHAR[]": "text_array", "TIMESTAMP WITH TIME ZONE": "timestamptz"}
"""The single word for a Postgres type that a diagram needs."""
_DIALECT = postgresql.dialect()


def diagrams() -> str:
    """Return one diagram for each capability, in the order in which capabilities depend on each other."""
    groups: dict[str, list[Table]] = {capability: [] for capability in _ORDER}
    for table, module in sorted(_modules().items(), key=lambda item: item[0].name):
        groups[_CAPABILITIES.get(module, "platform")].append(table)
    return "\n\n".join(
        "\n".join([f"### {capability}", "", "```mermaid", "erDiagram", *_relations(found), *_entities(found), "```"])
        for capability, found in groups.items()
    )


def page() -> str:
    """Return docs/architecture.md with the diagrams of the current tables."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{diagrams()}\n\n{END}{after}"


def _modules() -> dict[Table, str]:
    """Return each table with the last part of its module's name."""
    rows = [item for item in vars(tables).values() if isinstance(item, type) and issubclass(item, SQLModel)]
    return {tables.metadata.tables[str(row.__tablename__)]: row.__module__.rpartition(".")[2] for row in rows}


def _relations(group: list[Table]) -> Iterator[str]:
    for table in group:
        for constraint in sorted(table.foreign_key_constraints, key=lambda found: list(found.column_keys)):
            columns = [table.c[key] for key in constraint.column_keys]
            parent = "|o" if all(column.nullable for column in columns) else "||"
            child = "o|" if [*table.primary_key.columns] == columns else "o{"
            named = ", ".join(constraint.column_keys)
            yield f'    {constraint.referred_table.name} {parent}--{child} {table.name} : "{named}"'


def _entities(group: list[Table]) -> Iterator[str]:
    for table in group:
        yield f"    {table.name} {{"
        for column in table.columns:
            yield f"        {_attribute(column)}"
        yield "    }"


def _attribute(column: Column) -> str:
    written = column.type.compile(_DIALECT).split("(", maxsplit=1)[0]
    kind = _TYPES.get(written, written.lower())
    keys = ", ".join(key for key, holds in (("PK", column.primary_key), ("FK", column.foreign_keys)) if holds)
    return " ".join(part for part in (kind, column.name, keys, '"nullable"' if column.nullable else "") if part)


if __name__ == "__main__":
    PAGE.write_text(page())
