"""What is drawn on a picture, and which result."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from av.video.frame import VideoFrame
from hypothesis import given
from hypothesis import strategies as st
from video_jobs_client import Frame
from video_jobs_client.annotate import Painter, annotated_picture
from video_jobs_client.annotate import labels as labels_module
from video_jobs_client.annotate.canvas import Area, Canvas, Color
from video_jobs_client.annotate.held import HeldResults
from video_jobs_client.annotate.labels import LabelMaker

BLACK = Color(16, 128, 128)


def detection(box: Sequence[float], class_id: int = 0, name: str = "car") -> dict[str, Any]:
    return {"xyxy": list(box), "confidence": 0.5, "class_id": class_id, "class_name": name}


def word(text: str, left: int, top: int, line: int = 1) -> dict[str, Any]:
    box = {"x": left, "y": top, "width": 40, "height": 12}
    return {"text": text, "confidence": 90.0, "bbox": box, "level": 5, "block_num": 1, "line_num": line}


def painted(frame: Frame, width: int = 320, height: int = 180) -> Canvas:
    canvas = Canvas.black(width, height)
    Painter(width, height).paint(canvas, frame)
    return canvas


def found(*detections: dict[str, Any], track_ids: list[int | None] | None = None) -> Frame:
    return Frame(0, 0.0, {"detections": list(detections)}, track_ids)


def colors_at(canvas: Canvas, x: int, y: int) -> Color:
    return Color(*(int(plane[y // scale, x // scale]) for plane, scale in canvas.planes()))


# --- boxes and labels ------------------------------------------------------------------------------


def test_a_box_is_a_line_of_even_pixels_around_what_was_found() -> None:
    canvas = painted(found(detection((100, 80, 200.4, 150))))
    ink = canvas.y != 16
    rows = np.nonzero(ink[:, 190])[0].tolist()
    columns = np.nonzero(ink[120])[0].tolist()
    assert rows == [80, 81, 148, 149]
    assert columns == [100, 101, 198, 199]


def test_a_label_stands_on_its_box_and_says_class_and_confidence() -> None:
    canvas = painted(found(detection((100, 80, 200, 150))))
    label = LabelMaker(13).label("car 0.50", colors_at(canvas, 100, 81))
    place = Area(100, 80 - label.height, 100 + label.width, 80)
    assert np.array_equal(canvas.y[place.rows_columns()], label.y)
    assert np.array_equal(canvas.u[place.rows_columns(2)], label.u)


def test_a_track_has_one_colour_and_its_number() -> None:
    box = (100, 80, 200, 150)
    first = painted(found(detection(box, class_id=1), track_ids=[4]))
    again = painted(found(detection(box, class_id=2), track_ids=[4]))
    other = painted(found(detection(box, class_id=1), track_ids=[5]))
    color = colors_at(first, 100, 100)
    assert color == colors_at(again, 100, 100) != colors_at(other, 100, 100)
    # AND where there are no tracks, the colour is that of the class
    without_tracks = painted(found(detection(box, class_id=5)))
    assert colors_at(without_tracks, 100, 100) == colors_at(other, 100, 100)
    # AND what belongs to none of the tracks is grey
    of_no_track = painted(found(detection(box, class_id=5), track_ids=[None]))
    assert colors_at(of_no_track, 100, 100)[1:] == (128, 128)
    label = LabelMaker(13).label("car #4 0.50", color)
    assert np.array_equal(first.y[80 - label.height : 80, 100 : 100 + label.width], label.y)


def test_words_of_a_line_are_one_box_with_their_text_below() -> None:
    frame = Frame(0, 0.0, {"blocks": [word("EXIT", 100, 50), word("12", 150, 50), word("OPEN", 100, 110, 2)]})
    canvas = painted(frame)
    color = colors_at(canvas, 97, 55)
    assert color != BLACK
    # between the words there is no line: they stand in one box
    assert colors_at(canvas, 145, 56) == BLACK
    label = LabelMaker(13).label("EXIT 12", color)
    assert np.array_equal(canvas.y[66 : 66 + label.height, 96 : 96 + label.width], label.y)


def test_labels_of_boxes_at_one_place_do_not_cover_each_other() -> None:
    box = (100, 80, 200, 150)
    canvas = painted(found(detection(box, 0, "car"), detection(box, 1, "bus"), detection(box, 2, "van")))
    labels = LabelMaker(13)
    height = labels.label("car", BLACK).height
    colors = {colors_at(canvas, 101, y) for y in (80 - height, 80 + 2, 150)}
    assert len(colors) == 3


@pytest.mark.parametrize("is_narrow", [False, True], ids=["above", "beside"])
def test_a_label_covers_no_text_if_there_is_room_elsewhere(is_narrow: bool) -> None:
    # GIVEN lines of text close to each other, and a car that begins below the last of them
    tops = (20, 34, 48) if is_narrow else (60, 74)
    lines = [word("EXIT", 100, top, number) for number, top in enumerate(tops)]
    car = detection((90, tops[-1] + 20, 200, 150))
    canvas = painted(Frame(0, 0.0, {"blocks": lines, "detections": [car]}))
    # THEN no label stands on a text: between its lines all is as it was
    for top in tops:
        assert (canvas.y[top + 2 : top + 8, 104:136] == 16).all()


boxes = st.tuples(*[st.floats(-50, 700)] * 2, *[st.floats(-50, 700)] * 2).map(
    lambda box: (min(box[0], box[2]), min(box[1], box[3]), max(box[0], box[2]), max(box[1], box[3]))
)


@given(st.lists(boxes, min_size=1, max_size=4), st.integers(1, 90), st.integers(1, 90))
def test_anything_can_be_drawn_on_a_picture_of_any_size(
    found_boxes: list[tuple[float, float, float, float]], width: int, height: int
) -> None:
    frame = found(
        *(detection(box, place, "a name longer than it" * 3) for place, box in enumerate(found_boxes))
    )
    canvas = painted(frame, width, height)
    assert (canvas.width, canvas.height) == (width + width % 2, height + height % 2)
    assert (canvas.y != 16).any()


@pytest.mark.parametrize("box", [(0, 0, 40, 40), (300, 0, 320, 20), (0, 170, 10, 180), (290, 150, 320, 180)])
def test_a_label_at_the_border_is_moved_into_the_picture(box: tuple[float, ...]) -> None:
    canvas = painted(found(detection(box)))
    color = colors_at(canvas, min(int(box[0]), 318), min(int(box[3]) - 2, 178))
    label = LabelMaker(13).label("car 0.50", color)
    rows, columns = canvas.height - label.height + 1, canvas.width - label.width + 1
    places = ((y, x) for y in range(0, rows, 2) for x in range(0, columns, 2))
    assert any(
        np.array_equal(canvas.y[y : y + label.height, x : x + label.width], label.y) for y, x in places
    )


@pytest.mark.parametrize("ground", [Color.of_rgb(250, 240, 90), Color.of_rgb(30, 40, 120)])
def test_letters_are_easy_to_read_on_their_ground(ground: Color) -> None:
    label = LabelMaker(13).label("car 0.50", ground)
    contrast = int(np.abs(label.y.astype(int) - ground.y).max())
    assert contrast > 100
    assert label.width % 2 == label.height % 2 == 0


def test_a_long_text_is_cut() -> None:
    labels = LabelMaker(13)
    assert np.array_equal(labels.label("x" * 60, BLACK).y, labels.label("x" * 47 + "…", BLACK).y)


def test_without_a_usual_font_letters_are_pillow_s(monkeypatch: pytest.MonkeyPatch) -> None:
    usual = LabelMaker(13).label("car 0.50", BLACK)
    monkeypatch.setattr(labels_module, "USUAL_FONTS", ("a font that is nowhere.ttf",))
    own = LabelMaker(13).label("car 0.50", BLACK)
    assert own.y.max() > 200
    assert usual.y.max() > 200


def test_another_font_can_be_chosen(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="cannot open"):
        LabelMaker(13, tmp_path / "none.ttf")


def test_colours_are_those_that_a_player_shows() -> None:
    canvas = Canvas.black(64, 64)
    canvas.fill(Area(0, 0, 64, 64), Color.of_rgb(230, 60, 60))
    frame = canvas.frame()
    frame.colorspace = 1
    shown = frame.to_ndarray(format="rgb24")[32, 32].astype(int)
    assert np.abs(shown - (230, 60, 60)).max() <= 3


def test_a_single_picture_is_annotated() -> None:
    image = np.full((181, 321, 3), 90, np.uint8)
    picture = VideoFrame.from_ndarray(image, "bgr24")
    shown = annotated_picture(picture, found(detection((100, 80, 200, 150)))).to_ndarray(format="bgr24")
    assert shown.shape == (182, 322, 3)
    changed = np.abs(shown[:181, :321].astype(int) - image).max(axis=2) > 20
    assert changed[80:150, 100:200].any()
    assert not changed[:, :96].any()


def test_pixels_that_are_not_drawn_on_stay_as_they_were() -> None:
    random = np.random.default_rng(0).integers(16, 235, (180, 320, 3), np.uint8)
    picture = VideoFrame.from_ndarray(cv2.blur(random, (5, 5)).astype(np.uint8), "bgr24").reformat(
        format="yuv420p"
    )
    before, after = (
        Canvas.of(picture),
        Canvas.of(annotated_picture(picture, found(detection((90, 80, 200, 150))))),
    )
    for (one, scale), (other, _) in zip(before.planes(), after.planes(), strict=True):
        assert np.array_equal(one[: 50 // scale], other[: 50 // scale])
        assert np.array_equal(
            one[84 // scale : 144 // scale, 94 // scale : 196 // scale],
            other[84 // scale : 144 // scale, 94 // scale : 196 // scale],
        )


# --- which result ----------------------------------------------------------------------------------


def held(times_ms: list[float], asked_ms: list[float]) -> list[float | None]:
    """The time of the result that is shown at each of the times asked for."""
    results = HeldResults(iter(Frame(number, time, {}) for number, time in enumerate(times_ms)))
    shown = [results.at(number, round(time * 1000)) for number, time in enumerate(asked_ms)]
    return [None if frame is None else frame.timestamp_ms for frame in shown]


@pytest.mark.parametrize(
    ("times", "shown"),
    [
        ([0, 40, 80], [0, 0, 40, 40, 80, 80, None, None]),
        ([40, 80], [None, None, 40, 40, 80, 80, None, None]),
        ([0, 100], [0, 0, 0, 0, 0, 100, 100, 100]),
        ([60], [None, None, None, 60, None, None, None, None]),
        ([], [None] * 8),
        ([0, 10, 20], [0, 20, None, None, None, None, None, None]),
    ],
)
def test_a_result_is_held_until_the_next_and_the_last_one_for_a_step(
    times: list[float], shown: list[float | None]
) -> None:
    assert held(times, [20.0 * number for number in range(8)]) == shown


def test_results_without_times_are_found_by_their_index() -> None:
    results = HeldResults(iter([Frame(0, None, {}), Frame(3, None, {})]))
    shown = [results.at(index, 999 * index) for index in range(7)]
    assert [None if frame is None else frame.index for frame in shown] == [0, 0, 0, 3, 3, 3, None]
    assert results.matches == 2
