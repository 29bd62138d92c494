"""Which differences of two pictures are noise, and which may be another text."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from video_worker.plugins.ocr.differences import (
    LEAST_THRESHOLD,
    MOST_THRESHOLD,
    changed_cells,
    has_changed,
)
from video_worker.plugins.ocr.engines import GrayImage

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdefghijklmnopqrstuvwxyz"
FULL_HD = (1080, 1920)


def picture(text: str = "EXIT 12", seed: int | None = None, noise: float = 3.0) -> GrayImage:
    """White letters on grey, with the noise of a compressed video."""
    image = np.full((120, 240), 90, np.uint8)
    cv2.putText(image, text, (40, 86), cv2.FONT_HERSHEY_SIMPLEX, 0.9, 230, 2, cv2.LINE_AA)
    if seed is None:
        return image
    return np.clip(image + np.random.default_rng(seed).normal(0, noise, image.shape), 0, 255).astype(np.uint8)


@pytest.mark.parametrize(
    ("other", "changed"),
    [
        (picture(), False),
        (picture(seed=1), False),
        (picture("EXIT 13"), True),
        (picture("EXIT 12."), True),
        (picture("EXlT 12"), True),
        (picture("EXIT"), True),
        (cv2.convertScaleAbs(picture(), beta=5).astype(np.uint8), False),
        (cv2.convertScaleAbs(picture(), beta=25).astype(np.uint8), True),
    ],
)
def test_noise_is_no_change_and_a_letter_is(other: GrayImage, changed: bool) -> None:
    assert has_changed(picture(), other) is changed
    assert (changed_cells(picture(), other) is not None) is changed


def letters(scale: float, paper: int, ink: int) -> list[GrayImage]:
    """Every letter and digit; a scale of 0.4 is 9 pixels high, 0.6 is 12."""
    images = []
    for letter in LETTERS:
        image = np.full((60, 60), paper, np.uint8)
        cv2.putText(image, letter, (10, 40), cv2.FONT_HERSHEY_SIMPLEX, scale, ink, 1, cv2.LINE_AA)
        images.append(image)
    return images


def unnoticed(images: list[GrayImage], threshold: int = LEAST_THRESHOLD) -> set[str]:
    """The pairs of letters between which no change is seen."""
    return {
        LETTERS[one] + LETTERS[other]
        for one in range(len(images))
        for other in range(one + 1, len(images))
        if not has_changed(images[one], images[other], threshold)
    }


@pytest.mark.parametrize(("paper", "ink"), [(90, 230), (0, 255), (255, 0)])
@pytest.mark.parametrize("scale", [0.4, 0.6])
def test_every_single_letter_that_changes_is_noticed(paper: int, ink: int, scale: float) -> None:
    assert unnoticed(letters(scale, paper, ink)) == set()


@pytest.mark.parametrize(("paper", "ink"), [(0, 255), (255, 0), (30, 235)])
def test_every_single_letter_of_strong_contrast_is_noticed_in_the_strongest_noise(
    paper: int, ink: int
) -> None:
    for scale in (0.4, 0.6):
        assert unnoticed(letters(scale, paper, ink), MOST_THRESHOLD) == set()


def test_in_the_strongest_noise_three_pairs_of_fainter_letters_are_taken_for_each_other() -> None:
    assert unnoticed(letters(0.4, 90, 230), MOST_THRESHOLD) == {"Il", "OQ", "il"}
    assert unnoticed(letters(0.6, 90, 230), MOST_THRESHOLD) == set()


def test_compression_noise_beside_a_strong_edge_is_no_change_and_on_a_flat_place_is() -> None:
    sign = np.full((60, 60), 10, np.uint8)
    sign[20:40, 20:40] = 240
    for at, changed in (((18, 18), False), ((2, 2), True)):
        noisy = sign.copy()
        noisy[at[0] : at[0] + 4, at[1] : at[1] + 4] += 14
        assert has_changed(sign, noisy) is changed


def test_faint_text_that_appears_beside_a_strong_edge_is_noticed() -> None:
    sign = np.full((60, 160), 10, np.uint8)
    sign[30:] = 240
    written = sign.copy()
    cv2.putText(written, "EXIT", (20, 27), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 80, 1, cv2.LINE_AA)
    assert has_changed(sign, written)


def test_an_empty_place_never_changes() -> None:
    assert not has_changed(np.zeros((0, 5), np.uint8), np.zeros((0, 5), np.uint8))


# --- the noise of a frame ------------------------------------------------------------------------------


def compressed(strength: float, seed: int) -> GrayImage:
    """A grey frame with noise in blocks of 8 pixels, as strong compression leaves it."""
    random = np.random.default_rng(seed)
    blocks = random.normal(0, strength, (FULL_HD[0] // 8, FULL_HD[1] // 8)).astype(np.float32)
    noise = cv2.resize(blocks, FULL_HD[::-1], interpolation=cv2.INTER_NEAREST)
    return np.clip(128 + noise, 0, 255).astype(np.uint8)


def with_text(image: GrayImage) -> GrayImage:
    written = image.copy()
    cv2.putText(written, "EXIT 12", (600, 500), cv2.FONT_HERSHEY_SIMPLEX, 1.2, 230, 2, cv2.LINE_AA)
    return written


def test_noise_in_the_whole_frame_is_no_change_and_text_in_it_is() -> None:
    before, after = compressed(2.2, seed=1), compressed(2.2, seed=2)
    # GIVEN more noise than the least threshold takes
    assert has_changed(before, after)
    # THEN the frame's own threshold takes it, and still sees the text
    assert changed_cells(before, after) is None
    mask, threshold = changed_cells(before, with_text(after)) or (np.zeros(1), 0)
    assert LEAST_THRESHOLD < threshold <= MOST_THRESHOLD
    rows, columns = np.nonzero(mask)
    assert 450 < rows.min() < rows.max() < 520
    assert 590 < columns.min() < columns.max() < 800


def test_what_moves_raises_the_threshold_only_if_it_covers_nine_tenths_of_the_frame() -> None:
    before = np.full(FULL_HD, 128, np.uint8)
    for share, threshold in ((0.85, LEAST_THRESHOLD), (1.0, MOST_THRESHOLD)):
        after = before.copy()
        after[:, : int(share * FULL_HD[1])] += 60
        found = changed_cells(before, after)
        assert found is not None
        assert found[1] == threshold
