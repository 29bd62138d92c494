"""Which engine reads the text of a job, and what its facts are."""

from __future__ import annotations

from typing import Any

import pytest
from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings
from video_worker.plugin_registry import ChoosingPlugin
from video_worker.plugins.ocr.plugin import OcrPlugin
from video_worker.plugins.ocr.readers import MOST_KEPT, ReaderChoice, Readers
from video_worker.plugins.ocr.reading import TextReader

from tests.support.bright_words import BrightWords, picture


def settings(**changes: str) -> WorkerSettings:
    return WorkerSettings.from_environment({"MODEL_PATH": "none"} | changes)


class MadeReader(BrightWords):
    """Says for which choice it was made."""

    def __init__(self, choice: ReaderChoice) -> None:
        super().__init__()
        self.language = choice.language or choice.engine

    def facts(self) -> dict[str, Any]:
        return {"engine": self.language}


class Factory:
    def __init__(self) -> None:
        self.made: list[ReaderChoice] = []

    def __call__(self, choice: ReaderChoice, _: WorkerSettings) -> TextReader:
        if choice.language == "tlh":
            raise SettingError("languages: there is no Tesseract data for 'tlh'")
        self.made.append(choice)
        return MadeReader(choice)


def plugin_of(factory: Factory, **changes: str) -> OcrPlugin:
    given = settings(**changes)
    return OcrPlugin(Readers(given, factory), given, ReaderChoice.of_settings(given))


@pytest.mark.parametrize(
    ("setting", "engine"),
    [
        ("", "ppocr"),
        ("auto", "ppocr"),
        ("ppocr", "ppocr"),
        ("tesseract", "tesseract"),
        ("tesserocr", "tesseract"),
        ("pytesseract", "tesseract"),
    ],
)
def test_the_setting_names_the_engine_of_jobs_that_choose_none(setting: str, engine: str) -> None:
    factory = Factory()
    plugin = plugin_of(factory, OCR_ENGINE=setting)
    assert isinstance(plugin, ChoosingPlugin)
    assert plugin.with_options({"text_engine": None, "languages": None}).facts() == plugin.facts()
    assert factory.made == [ReaderChoice(engine)]


@pytest.mark.parametrize(
    ("options", "choice"),
    [
        ({"text_engine": "ppocr", "languages": None}, ReaderChoice("ppocr")),
        ({"text_engine": "tesseract", "languages": None}, ReaderChoice("tesseract")),
        ({"text_engine": "tesseract", "languages": "eng+deu"}, ReaderChoice("tesseract", "eng+deu")),
        ({"text_engine": "tesseract", "languages": "eng"}, ReaderChoice("tesseract")),
        ({"text_engine": None, "languages": "deu"}, ReaderChoice("tesseract", "deu")),
    ],
)
def test_a_job_chooses_its_engine_and_languages(options: dict[str, Any], choice: ReaderChoice) -> None:
    factory = Factory()
    plugin = plugin_of(factory, OCR_ENGINE="ppocr").with_options(options)
    assert factory.made[-1] == choice
    # THEN tools and facts are those of the choice
    language = choice.language or choice.engine
    assert plugin.facts() == {
        "engine": language,
        "min_confidence": 65.0,
        "change_gate": True,
        "region_classes": "plate sign",
    }
    payload = {"position": 0, "image": picture(((40, 100), "EXIT"))}
    result = plugin.tool("read").run(payload)
    assert result["language"] == language
    assert len(result["blocks"]) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text_engine": "tesseract", "languages": "tlh"}, "no Tesseract data for 'tlh'"),
        ({"text_engine": "ppocr", "languages": "eng"}, "only tesseract has them"),
        ({"text_engine": "abbyy", "languages": None}, "must be ppocr or tesseract"),
    ],
)
def test_what_a_worker_has_not_is_told_when_a_job_chooses_it(options: dict[str, Any], message: str) -> None:
    with pytest.raises(SettingError, match=message):
        plugin_of(Factory()).with_options(options)


def test_a_reader_is_made_once_and_only_those_used_last_are_kept() -> None:
    factory = Factory()
    readers = Readers(settings(), factory)
    choices = [ReaderChoice("tesseract", f"l{number}") for number in range(MOST_KEPT)]
    default = ReaderChoice("ppocr")
    for choice in [default, *choices[1:], default, choices[0], default]:
        assert readers.get(choice) is readers.get(choice)
    assert factory.made == [default, *choices[1:], choices[0]]
    # WHEN one more is needed, THEN the one that was used least recently is made again
    readers.get(choices[1])
    assert factory.made[-1] == choices[1]


def test_the_tool_for_regions_numbers_them_and_their_lines() -> None:
    plugin = plugin_of(Factory())
    boxes = [[30.0, 70.0, 300.0, 110.0], [490.0, 370.0, 640.0, 410.0], [0.0, 0.0, 9.0, 9.0]]
    detections = [
        {"xyxy": box, "class_name": name} for box, name in zip(boxes, ("plate", "sign", "car"), strict=True)
    ]
    payload = {"position": 0, "image": picture(), "detections": detections}
    result = plugin.tool("read_regions").run(payload)
    assert [(word["block_num"], word["line_num"]) for word in result["blocks"]] == [(1, 1), (2, 1)]
    assert len(result["text"].splitlines()) == 2
