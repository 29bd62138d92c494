"""The benchmark's scenes say what is written on them, and readings are counted fairly."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from video_worker.plugins.ocr.reading import Box

from gpu_worker_image.models.street_demo_training.drawing import Image
from tests.fixtures.make_scene_mp4 import PATH as SCENE
from tests.fixtures.make_scene_mp4 import frames as scene_frames
from tests.fixtures.make_scene_mp4 import words_of_frame
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.proofs.bench.clips import frames_of
from tests.proofs.bench.scenes.faces import FACES, inked_word
from tests.proofs.bench.scenes.panels import TextLine, lay_out
from tests.proofs.bench.scenes.scenes import Scene, SceneClip, write_scene
from tests.proofs.bench.scenes.scoring import Reading, Score, is_same_text, made_up, score, total
from tests.proofs.bench.scenes.shots import Backdrop, Pillar, Shot
from tests.proofs.bench.scenes.signs import Light, Paint, Pose, Sign, warped
from tests.proofs.bench.scenes.streets import street_shot
from tests.proofs.bench.scenes.truth import FrameTruth, Stratum, Word, box_of, stratum_of
from tests.proofs.bench.words import made_up_words, scene_words

SIZE = (640, 360)
WHITE_ON_BLACK = Paint((255, 255, 255), (0, 0, 0))


def backdrop(frames: int = 2) -> Backdrop:
    return Backdrop(TINY, SIZE, 0, frames)


def shot_of(*signs: Sign, frames: int = 2, pillar: Pillar | None = None) -> list[tuple[Image, FrameTruth]]:
    return list(Shot(backdrop(frames), signs, Stratum.CLEAR, seed=1, pillar=pillar).render())


def sign_of(text: str, pose: Pose, capital: float = 30, **look: object) -> Sign:
    panel = lay_out([TextLine(text, "dejavu bold", capital)], 1)
    return replace(Sign(panel, WHITE_ON_BLACK, pose), **look)  # type: ignore[arg-type]


def word_at(text: str, x: float, stratum: Stratum | None = Stratum.CLEAR) -> Word:
    """A word of 80 x 20 pixels in the first line."""
    quad = np.array([(x, 10), (x + 80, 10), (x + 80, 30), (x, 30)], np.float64)
    return Word(text, quad, 20, 100, 0, stratum)


def read_at(text: str, x: float) -> Reading:
    return Reading(text, [x, 8, x + 80, 32])


def clear_score(readings: list[Reading], *words: Word, most_edits: int = 0) -> Score:
    return score([readings], [FrameTruth(words, Stratum.CLEAR)], most_edits)[Stratum.CLEAR]


def test_the_same_seed_gives_the_same_frames_and_truth() -> None:
    one, again, other = (list(street_shot(backdrop(), seed, 1.0).render()) for seed in (3, 3, 4))
    for (image, truth), (same_image, same_truth) in zip(one, again, strict=True):
        assert np.array_equal(image, same_image)
        assert [(word.text, word.box, word.stratum) for word in truth.words] == [
            (word.text, word.box, word.stratum) for word in same_truth.words
        ]
    assert not np.array_equal(one[0][0], other[0][0])


def test_a_street_has_signs_that_do_not_overlap() -> None:
    shot = street_shot(Backdrop(TINY, (1280, 720), 0, 2), seed=5, shake=0)
    assert len(shot.signs) >= 6
    for frame in (0, 1):
        boxes = [box_of(warped(sign.corners(), sign.homography(frame, (0, 0), 1536))) for sign in shot.signs]
        assert not any(overlap(one, other) for one, other in combinations(boxes, 2))


def overlap(one: Box, other: Box) -> bool:
    return max(one[0], other[0]) < min(one[2], other[2]) and max(one[1], other[1]) < min(one[3], other[3])


@pytest.mark.parametrize("face", FACES)
def test_each_face_draws_capitals_of_the_height_that_it_says(face: str) -> None:
    word = inked_word(face, "HEH", 40)
    rows = np.flatnonzero(word.ink.max(axis=1) > 0.5)
    assert word.capital == pytest.approx(40, abs=1)
    assert len(rows) == pytest.approx(word.capital, abs=1.5)
    assert rows[-1] + 1 == pytest.approx(word.baseline, abs=1.5)


@pytest.mark.parametrize("pose", [Pose((300, 180)), Pose((300, 180), yaw=0.5, pitch=0.2, roll=0.1)])
def test_the_ink_of_a_word_fills_its_quad(pose: Pose) -> None:
    (image, truth), _ = shot_of(sign_of("HEN", pose))
    (word,) = truth.words
    x1, y1, x2, y2 = (round(value) for value in word.box)
    room = 8
    ys, xs = np.nonzero(image[y1 - room : y2 + room, x1 - room : x2 + room].mean(axis=2) > 128)
    assert [xs.min(), ys.min()] == pytest.approx([room, room], abs=2.5)
    assert [xs.max(), ys.max()] == pytest.approx([room + x2 - x1, room + y2 - y1], abs=2.5)


def test_height_and_contrast_are_those_in_the_frame() -> None:
    upright = sign_of("HEN", Pose((300, 180)))
    tilted = sign_of("HEN", Pose((300, 180), pitch=1.0), light=Light(0.5))
    (_, first), _ = shot_of(upright)
    (_, second), _ = shot_of(tilted)
    assert first.words[0].height == pytest.approx(30, abs=1)
    assert first.words[0].contrast == pytest.approx(255, abs=1)
    assert second.words[0].height < 20
    assert second.words[0].contrast < 220


def test_contrast_of_ink_on_the_picture_is_that_to_the_picture() -> None:
    (under, _), _ = shot_of()
    level = under[165:195, 200:400].mean()
    ink = (round(level) + 40,) * 3
    (_, truth), _ = shot_of(sign_of("HEN", Pose((300, 180)), paint=Paint(ink)))
    assert truth.words[0].contrast < 60


@pytest.mark.parametrize(
    ("height", "contrast", "sigma", "stratum"),
    [
        (20, 60, 1.0, Stratum.CLEAR),
        (19.9, 30, 2.0, Stratum.SMALL),
        (20, 59.9, 2.0, Stratum.LOW_CONTRAST),
        (20, 60, 1.1, Stratum.BLURRED),
        (13.9, 200, 0, None),
        (40, 19, 0, None),
        (20, 200, 3.1, None),
    ],
)
def test_a_word_belongs_to_the_first_fault_that_applies(
    height: float, contrast: float, sigma: float, stratum: Stratum | None
) -> None:
    assert stratum_of(height, contrast, sigma) is stratum


def test_signs_move_with_their_speed() -> None:
    frames = shot_of(sign_of("HEN", Pose((300, 180)), speed=(4.0, -1.0)), frames=3)
    first, last = (truth.words[0].quad for _, truth in (frames[0], frames[2]))
    assert last - first == pytest.approx(np.tile((8.0, -2.0), (4, 1)))


def test_a_word_behind_the_pillar_or_outside_does_not_count() -> None:
    pillar = Pillar(start=150, speed=110, width=50, color=(90, 90, 90))
    frames = shot_of(sign_of("HEN", Pose((300, 180))), frames=3, pillar=pillar)
    assert [len(truth.counted) for _, truth in frames] == [1, 0, 1]
    assert [len(truth.words) for _, truth in frames] == [1, 1, 1]
    (_, outside), _ = shot_of(sign_of("HEN", Pose((10, 180))))
    assert not outside.counted


def test_a_word_of_which_hardly_anything_is_hidden_counts() -> None:
    sign = sign_of("HEN", Pose((300, 180)))
    right_edge = shot_of(sign)[0][1].words[0].box[2]
    for covered, counted in ((3, 1), (14, 0)):
        pillar = Pillar(start=right_edge - covered, speed=0, width=50, color=(90, 90, 90))
        assert len(shot_of(sign, pillar=pillar)[0][1].counted) == counted


def test_an_encoded_scene_lines_up_with_its_truth(tmp_path: Path) -> None:
    def make(scene: Scene, number: int) -> Shot:
        sign = sign_of(("EAST", "WEST")[number], Pose((200 + 200 * number, 180)), speed=(9.0, 0.0))
        return Shot(backdrop(scene.frames), (sign,), Stratum.CLEAR, scene.seed)

    scene = Scene("two shots", TINY, SIZE, 10, 2, 3, make, seed=1)
    clip = write_scene(scene, tmp_path, frames=5)
    images = list(frames_of(clip.path))
    assert [word.text for truth in clip.truth for word in truth.counted] == ["EAST"] * 3 + ["WEST"] * 2
    for image, (drawn, truth) in zip(images, scene.render(5), strict=True):
        x1, y1, x2, y2 = (round(value) for value in truth.words[0].box)
        difference = image[y1:y2, x1:x2].astype(int) - drawn[y1:y2, x1:x2]
        assert abs(difference).mean() < 12


def test_right_readings_are_where_their_words_are_and_count_once() -> None:
    words = word_at("Main", 0), word_at("Main", 100), word_at("Street", 200)
    readings = [read_at("MAIN", 0), read_at("main", 5), read_at("Street", 500)]
    assert clear_score(readings, *words) == Score(there=3, said=3, right=1)


def test_texts_are_the_same_after_nfc_and_case_folding() -> None:
    assert is_same_text("CAFE\u0301", "caf\u00e9")
    assert not is_same_text("cafe", "caf\u00e9")


@pytest.mark.parametrize("read", ["swaters", "sweatters", "sweatert", "weaters", "sweatersx"])
def test_one_edit_may_be_allowed(read: str) -> None:
    assert not is_same_text(read, "sweaters")
    assert is_same_text(read, "sweaters", 1)
    assert clear_score([read_at(read, 0)], word_at("sweaters", 0), most_edits=1).right == 1


@pytest.mark.parametrize(
    ("read", "wanted"), [("swatrs", "sweaters"), ("swaetres", "sweaters"), ("Bus", "Bux")]
)
def test_two_edits_are_wrong_and_so_is_one_in_a_short_word(read: str, wanted: str) -> None:
    assert not is_same_text(read, wanted, 1)


def test_an_exact_reading_is_preferred_to_one_with_an_edit() -> None:
    words = word_at("Lanes", 0), word_at("Lane", 10)
    assert clear_score([read_at("Lane", 5), read_at("Lanesx", 5)], *words, most_edits=1).right == 2


def test_what_is_read_where_a_word_is_hidden_counts_neither_way() -> None:
    hidden = word_at("Bakery", 0, stratum=None)
    assert clear_score([read_at("Bak", 0)], hidden) == Score()
    assert clear_score([read_at("Bak", 200)], hidden) == Score(said=1)
    ignored = FrameTruth((), Stratum.CLEAR, ([0.0, 0.0, 100.0, 100.0],))
    assert made_up([read_at("N", 10), read_at("N", 300)], ignored) == 1


def test_a_wrong_reading_counts_against_the_word_that_it_covers() -> None:
    frame = FrameTruth((word_at("Slow", 0, Stratum.SMALL), word_at("Toll", 200)), Stratum.CLEAR)
    scores = score([[read_at("5low", 0), read_at("FY)", 500)]], [frame])
    assert scores[Stratum.SMALL] == Score(there=1, said=1)
    assert scores[Stratum.CLEAR] == Score(there=1, said=1)
    assert total(scores) == Score(there=2, said=2)


def test_shares_of_nothing_are_none() -> None:
    assert Score().recall is None
    assert Score().precision is None
    assert Score(there=4, said=2, right=1).recall == 0.25
    assert Score(there=4, said=2, right=1).precision == 0.5


def test_the_measures_have_a_row_for_each_stratum_and_way() -> None:
    # GIVEN a clip of two frames with a clear word, and a way that reads it on the first frame, one letter off
    frame = FrameTruth((word_at("Bakery", 0),), Stratum.CLEAR)
    clip = SceneClip("fake", TINY, (frame, frame))
    ways = {"fake": lambda _: [[read_at("8akery", 0)], []]}
    # WHEN its words are measured
    rows = {row["stratum"]: row for row in scene_words(ways, [clip])}
    # THEN one edit makes the difference
    assert rows.keys() == {*map(str, Stratum), "all"}
    assert rows["clear"] == rows["all"] | {"stratum": "clear"}
    assert (rows["all"]["words"], rows["all"]["fake_recall"], rows["all"]["fake_precision"]) == (2, 0, 0)
    assert (rows["all"]["fake_one_edit_recall"], rows["all"]["fake_one_edit_precision"]) == (0.5, 1)
    assert rows["page"]["fake_recall"] is None


def test_made_up_words_are_counted_for_100_frames() -> None:
    empty = FrameTruth((), Stratum.CLEAR)
    clip = SceneClip("plain", TINY, (empty,) * 4)
    ways = {"fake": lambda _: [[read_at("X", 0)], [], [], []]}
    assert list(made_up_words(ways, [clip])) == [{"way": "fake", "frames": 4, "plain": 25}]


def test_the_clip_of_the_demo_shows_what_its_truth_says() -> None:
    images = list(frames_of(SCENE))
    drawn = [image for image, _ in scene_frames()]
    assert len(images) == len(drawn)
    assert max(abs(one.astype(int) - other).mean() for one, other in zip(images, drawn, strict=True)) < 6
    texts = ["Bakery", "fresh", "every", "day", "30%", "off", "sweaters", "KXR", "742", "No", "Entry"]
    assert all(words_of_frame(index) == texts for index in range(len(images)))
    assert SCENE.stat().st_size < 300_000
