"""Values for pages are made from domain values by the names of their fields."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from uuid import UUID

from rxchat.states.platform.field_views import field_view

NAMED = UUID(int=7)


class Color(StrEnum):
    """An enum."""

    RED = "red"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A value with a field of each type."""

    id: UUID = NAMED
    color: Color = Color.RED
    count: int = 0
    made_at: datetime | None = None
    parent: UUID | None = None
    grade: int | None = None
    marks: list[str] = field(default_factory=list)
    secret: str = "s"


def test_values_of_every_type_are_json_values_under_the_names_of_their_fields() -> None:
    made = Sample(made_at=datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), parent=UUID(int=8), grade=0, marks=["a"])
    shown = field_view(Sample)(made)
    assert shown == {
        "id": str(NAMED),
        "color": "red",
        "count": 0,
        "made_at": 1000,
        "parent": str(UUID(int=8)),
        "grade": 0,
        "marks": ["a"],
        "secret": "s",
    }
    assert type(shown["color"]) is str


def test_none_and_empty_lists_are_left_out_and_zero_is_not() -> None:
    assert set(field_view(Sample)(Sample())) == {"id", "color", "count", "secret"}


def test_fields_can_be_left_out_or_renamed() -> None:
    shown = field_view(Sample, without=("secret", "id"), renamed={"made_at": "at"})(Sample(made_at=datetime.now(UTC)))
    assert set(shown) == {"color", "count", "at"}
