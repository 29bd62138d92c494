"""Which model the local stack runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.local_stack import model_choice
from tools.local_stack.model_choice import NoModelError, choose_model


@pytest.fixture(autouse=True)
def no_internet(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(model_choice, "_internet_is_there", lambda: False)
    monkeypatch.setattr(model_choice, "DOWNLOADED", tmp_path / "yolo11n.pt")


def test_a_named_model_is_taken_and_a_missing_one_told(tmp_path: Path) -> None:
    (tmp_path / "mine.pt").touch()
    path, line = choose_model(str(tmp_path / "mine.pt"))
    assert (path, "mine.pt" in line) == (tmp_path / "mine.pt", True)
    with pytest.raises(NoModelError, match="There is no model at"):
        choose_model(str(tmp_path / "other.pt"))


def test_auto_takes_the_shipped_model_without_internet() -> None:
    path, line = choose_model("auto")
    assert path.name == "street_demo"
    assert "street_demo" in line


def test_auto_takes_what_was_downloaded_before() -> None:
    model_choice.DOWNLOADED.touch()
    assert choose_model("auto")[0] == model_choice.DOWNLOADED


def test_auto_says_when_there_is_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_choice, "OFFLINE_MODELS", {Path("/nowhere"): "nothing"})
    with pytest.raises(NoModelError, match="MODEL=path"):
        choose_model("auto")
