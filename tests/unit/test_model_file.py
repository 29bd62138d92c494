"""The hash of a model's files, which is part of the fingerprint."""

from __future__ import annotations

from pathlib import Path

import pytest
from video_worker.plugins.yolo.model_file import model_sha256


@pytest.fixture
def model(tmp_path: Path) -> Path:
    for name in ("metadata.yaml", "model.bin", "model.xml", "README.md"):
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize("name", ["metadata.yaml", "model.bin", "model.xml"])
def test_the_hash_covers_each_file_of_the_model(model: Path, name: str) -> None:
    before = model_sha256(model)
    (model / name).write_text("other")
    assert model_sha256(model) != before


def test_the_hash_leaves_out_what_only_describes_the_model(model: Path) -> None:
    before = model_sha256(model)
    (model / "README.md").write_text("other")
    assert model_sha256(model) == before


def test_a_model_may_be_one_file(tmp_path: Path) -> None:
    for name, content in (("one.pt", "a"), ("other.pt", "b")):
        (tmp_path / name).write_text(content)
    assert model_sha256(tmp_path / "one.pt") != model_sha256(tmp_path / "other.pt")
