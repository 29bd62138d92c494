"""What clients may choose for a job, drawn at random in the form of a JSON body."""

from __future__ import annotations

from typing import Any

from hypothesis import reject
from hypothesis import strategies as st
from video_jobs.domain.errors import InvalidRequestError
from video_jobs.domain.job import JobOptions
from video_jobs.domain.normal_options import normalised

from functions.video_api.requests import SubmitParameters

FRACTIONS = st.floats(-0.0, 1)
TIMES = st.floats(-0.0, 10**12)
NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=64).filter(str.strip)


@st.composite
def option_bodies(draw: st.DrawFn) -> dict[str, Any]:
    """Some of the options, each with any value that the API takes."""
    start_ms, end_ms = sorted(draw(st.tuples(TIMES, TIMES)))
    (x1, x2), (y1, y2) = (sorted(draw(st.tuples(FRACTIONS, FRACTIONS))) for _ in "xy")
    body: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "classes": st.lists(NAMES, max_size=50),
                "min_confidence": FRACTIONS,
                "region": st.just([x1, y1, x2, y2]),
                "start_ms": st.just(start_ms),
                "end_ms": st.just(end_ms),
                "frames_per_second": st.floats(0, 1000, exclude_min=True),
            },
        )
    )
    return body


def options_of(body: dict[str, Any]) -> JobOptions:
    """The options of a body as they are stored; nothing is made of a body that is refused."""
    try:
        return normalised(SubmitParameters.model_validate(body).to_submission("ann", None).options)
    except InvalidRequestError:
        reject()


def told_otherwise(body: dict[str, Any]) -> dict[str, Any]:
    """A body that means the same: in another order, and with all that would go without saying."""
    whole = {"min_confidence": None, "region": [0, 0, 1, 1], "start_ms": 0, "end_ms": None}
    other = dict(reversed({"frames_per_second": None, "classes": [], **whole, **body}.items()))
    return other | {"classes": [*reversed(other["classes"]), *other["classes"]]}
