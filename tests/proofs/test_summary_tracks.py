"""Tracks in scenes whose truth is known, scored by motmetrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import fmean

import pytest

from tests.support.folding import folded
from tests.support.tracking_scenes import (
    Actor,
    Detector,
    Scene,
    apart,
    cars,
    crossings,
    even_times,
    filmed,
    occlusions,
    returning,
    uneven_times,
)
from tests.support.tracking_scores import Scores, scores, tracked

SCENES = (apart, cars, crossings, occlusions, returning)
WITHOUT_CROSSINGS = (apart, cars, occlusions, returning)
SEEDS = (1, 2)
STRIDES = (1, 2, 3, 6, 10, 15, 30)
PERFECT = Detector(shake=0, misses=0, false_alarms=0, confidence=(0.8, 0))


def scored(scene: Scene, times: Sequence[tuple[int, float]], seed: int) -> Scores:
    frames = list(filmed(scene, times, seed))
    _, tracks = folded(frame.analysed for frame in frames)
    return scores(zip((frame.truth for frame in frames), tracked(frames, tracks), strict=True))


@pytest.mark.parametrize("stride", STRIDES)
@pytest.mark.parametrize("scene", SCENES)
def test_who_is_who_stays_right_at_every_rate(scene: Callable[[], Scene], stride: int) -> None:
    every = [scored(scene(), even_times(scene().seconds, stride), seed) for seed in SEEDS]
    assert fmean(one.idf1 for one in every) >= 0.95
    if scene in WITHOUT_CROSSINGS:
        assert [one.switches for one in every] == [0, 0]


@pytest.mark.parametrize("stride", [1, 5])
@pytest.mark.parametrize("scene", SCENES)
def test_and_at_a_rate_that_varies(scene: Callable[[], Scene], stride: int) -> None:
    every = [scored(scene(), uneven_times(scene().seconds, stride=stride), seed) for seed in SEEDS]
    assert fmean(one.idf1 for one in every) >= 0.95
    assert [one.switches for one in every] == [0, 0]


def test_who_is_hidden_for_longer_than_a_gap_is_somebody_else_afterwards() -> None:
    walker = Actor(1, (100.0, 300.0), (100.0, 0.0))
    for wall_px, number in ((100.0, 1), (500.0, 2)):
        scene = Scene("wall", [walker], 11, [(300.0, 0.0, 300.0 + wall_px, 720.0)], PERFECT)
        summary, _ = folded(frame.analysed for frame in filmed(scene, even_times(11)))
        assert len(summary.tracks) == number


def test_objects_of_two_classes_in_one_place_are_two_tracks() -> None:
    rider, bicycle = (
        Actor(1, (100.0, 300.0), (60.0, 0.0)),
        Actor(2, (100.0, 300.0), (60.0, 0.0), kind=(1, "bicycle")),
    )
    summary, tracks = folded(
        frame.analysed for frame in filmed(Scene("ride", [rider, bicycle], 4, (), PERFECT), even_times(4))
    )
    assert [(track.track_id, track.class_name) for track in summary.tracks] == [(1, "person"), (2, "bicycle")]
    assert {found.track_ids for found in tracks} == {(1, 2)}


@pytest.mark.parametrize(("stride", "tracks"), [(1, 0), (5, 0), (10, 1), (30, 1)])
def test_one_sighting_is_enough_only_if_frames_are_far_apart(stride: int, tracks: int) -> None:
    once = Actor(1, (300.0, 300.0), (0.0, 0.0), from_s=2.99, to_s=3.01)
    frames = filmed(Scene("once", [once], 6, (), PERFECT), even_times(6, stride))
    assert len(folded(frame.analysed for frame in frames)[0].tracks) == tracks
