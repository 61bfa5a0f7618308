"""Weights that an image has converted already: linked to instead of made again."""

from __future__ import annotations

from pathlib import Path

import pytest

from rxchat.embedded import weights
from rxchat.embedded.errors import WeightsMissing

WEIGHTS = weights.Weights("a model", "no_such_package", "model.zip", "model.gguf")


@pytest.fixture
def shipped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "image"
    folder.mkdir()
    monkeypatch.setattr(weights, "SHIPPED", folder)
    return folder / "model.gguf"


def test_shipped_weights_need_no_package_and_are_linked_to(shipped: Path, tmp_path: Path) -> None:
    shipped.write_bytes(b"GGUF")
    models = tmp_path / "models"
    told: list[int] = []
    assert weights.missing(models, [WEIGHTS]) == [WEIGHTS]
    made = weights.prepare(WEIGHTS, models, told.append)
    assert made.is_symlink() and made.read_bytes() == b"GGUF" and told == [100]
    assert weights.missing(models, [WEIGHTS]) == []


def test_a_link_of_another_image_is_replaced(shipped: Path, tmp_path: Path) -> None:
    shipped.write_bytes(b"GGUF")
    models = tmp_path / "models"
    models.mkdir()
    (models / "model.gguf").symlink_to(tmp_path / "gone" / "model.gguf")
    assert weights.missing(models, [WEIGHTS]) == [WEIGHTS]
    assert weights.prepare(WEIGHTS, models, lambda _percent: None).read_bytes() == b"GGUF"


def test_a_link_that_points_nowhere_is_converted_over_where_no_weights_are_shipped(
    shipped: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (models := tmp_path / "models").mkdir()
    (models / "model.gguf").symlink_to(shipped)
    monkeypatch.setattr(weights.Weights, "source", lambda _self: tmp_path / "model.zip")
    monkeypatch.setattr(
        weights, "convert_embedder", lambda _source, target, _progress: target.write_bytes(b"converted")
    )
    made = weights.prepare(WEIGHTS, models, lambda _percent: None)
    assert made.read_bytes() == b"converted" and not made.is_symlink()


def test_weights_that_are_neither_shipped_nor_packaged_are_refused_early(shipped: Path, tmp_path: Path) -> None:
    assert not shipped.exists()
    with pytest.raises(WeightsMissing):
        weights.missing(tmp_path / "models", [WEIGHTS])
