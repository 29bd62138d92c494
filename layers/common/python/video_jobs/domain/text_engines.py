"""The engines that read text, as clients see them, and what a job may choose of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

from video_jobs.domain.errors import InvalidRequestError, UnknownLanguageError

TextEngineId = Literal["ppocr", "tesseract"]

TEXT_ENGINES: Mapping[TextEngineId, str] = {
    "ppocr": "PP-OCR: signs and captions, as people read them",
    "tesseract": "Tesseract: documents and screens",
}
"""Names by id. A job that chooses none gets the engine that the worker's settings name."""

PPOCR_SCRIPTS = ("Latn",)
"""The scripts that the model of ``ppocr`` reads (ISO 15924)."""

LANGUAGES = ("eng",)
"""The codes of Tesseract's languages in the worker image; a deployment may offer others (`OCR_LANGUAGES`)."""

MAX_LANGUAGES = 8
"""Most languages of one job, because Tesseract's time grows with each."""


@dataclass(frozen=True, slots=True)
class TextChoice:
    """What a job chose for the reading of text.

    Attributes
    ----------
    engine
        A `TextEngineId`; None if the worker's settings decide.
    languages
        Tesseract's language codes, the leading one first; empty if the worker's settings decide.
    """

    engine: str | None = None
    languages: tuple[str, ...] = ()

    @classmethod
    def of(cls, engine: str | None, languages: Sequence[str]) -> Self:
        """The choice with each language once; languages without an engine mean Tesseract.

        Raises
        ------
        InvalidRequestError
            If the engine has no choice of languages, or there are too many.
        """
        if not languages:
            return cls(engine)
        if engine not in (None, "tesseract"):
            raise InvalidRequestError(f"languages: only text_engine tesseract has them, {engine} does not")
        once = tuple(dict.fromkeys(languages))
        if len(once) > MAX_LANGUAGES:
            raise InvalidRequestError(f"languages: at most {MAX_LANGUAGES}, not {len(once)}")
        return cls("tesseract", once)

    def check_languages(self, known: Collection[str]) -> None:
        """Raise `UnknownLanguageError` if a language is not among the known ones."""
        unknown = [code for code in self.languages if code not in known]
        if unknown:
            there = ", ".join(sorted(known))
            raise UnknownLanguageError(f"There is no language {unknown[0]!r}; choose from: {there}")

    def for_plugins(self) -> Mapping[str, Any]:
        """The choice as plugins get it: ``text_engine``, and ``languages`` joined by + as Tesseract wants."""
        return {"text_engine": self.engine, "languages": "+".join(self.languages) or None}


NOTHING_CHOSEN = TextChoice()
"""The worker's settings decide."""
