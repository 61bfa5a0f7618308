"""The diagrams of docs/architecture.md show the tables as they are."""

from __future__ import annotations

from tests import data_model


def test_the_diagrams_are_those_of_the_tables() -> None:
    assert data_model.page() == data_model.PAGE.read_text(), "run: make data-model"


def test_every_table_is_in_a_diagram() -> None:
    shown = data_model.diagrams()
    assert [name for name in data_model.tables.metadata.tables if f"    {name} {{" not in shown] == []
