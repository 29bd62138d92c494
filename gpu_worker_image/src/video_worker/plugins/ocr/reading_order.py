"""Put the lines of a frame into the order in which people read them, and number blocks and lines."""

from __future__ import annotations

from collections.abc import Sequence

from video_worker.plugins.ocr.reading import Box, Words

_SAME_ROW_SHARE = 0.5
"""Lines stand side by side if their middles differ by less than this share of the lower one's height."""
_SIMILAR_HEIGHT = 0.6
_NEAR_SHARE = 1.0
"""Of the lower line's height: so much may lie between two lines of a block."""
_SHARED_WIDTH = 0.5
"""Of the shorter line: so much of it stands above or below the other line of a block."""


def in_reading_order(lines: Sequence[Words]) -> list[Words]:
    """The lines of a frame, each with its ``block_num`` and ``line_num``.

    Rows come from top to bottom, and the lines of a row from left to right. Lines close below each other, of
    similar height and above each other, form a block, which is read as a whole. If all lines are numbered
    already, as those of a page are, they stay as they are.

    Parameters
    ----------
    lines
        The words of each line; none is empty.
    """
    if all("block_num" in word for words in lines for word in words):
        return list(lines)
    ordered = _in_rows([(box_around(words), words) for words in lines])
    blocks: list[list[tuple[Box, Words]]] = []
    for line in ordered:
        block = next((one for one in blocks if _goes_on(one[-1][0], line[0])), None)
        if block is None:
            blocks.append([line])
        else:
            block.append(line)
    return [
        [word | {"block_num": block_num, "line_num": line_num} for word in words]
        for block_num, block in enumerate(blocks, start=1)
        for line_num, (_, words) in enumerate(block, start=1)
    ]


def _in_rows(lines: list[tuple[Box, Words]]) -> list[tuple[Box, Words]]:
    rows: list[list[tuple[Box, Words]]] = []
    for line in sorted(lines, key=lambda line: (_middle(line[0]), line[0])):
        if rows and _is_same_row(rows[-1][0][0], line[0]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [line for row in rows for line in sorted(row, key=lambda line: line[0])]


def _is_same_row(one: Box, other: Box) -> bool:
    lower = min(_height(one), _height(other))
    return abs(_middle(one) - _middle(other)) < _SAME_ROW_SHARE * lower


def _goes_on(above: Box, below: Box) -> bool:
    """Whether a line is the next one of the block that ends with another line."""
    lower, higher = sorted((_height(above), _height(below)))
    gap = below[1] - above[3]
    shared = min(above[2], below[2]) - max(above[0], below[0])
    shorter = min(above[2] - above[0], below[2] - below[0])
    return (
        lower >= _SIMILAR_HEIGHT * higher
        and not _is_same_row(above, below)
        and gap <= _NEAR_SHARE * lower
        and shared >= _SHARED_WIDTH * shorter
    )


def numbered(lines: Sequence[Words], name: str) -> Words:
    """All words, each with the number of its line or region, from 1."""
    return [word | {name: number} for number, words in enumerate(lines, start=1) for word in words]


def box_around(words: Words) -> Box:
    """The smallest box around some words."""
    boxes = [word["bbox"] for word in words]
    return [
        min(box["x"] for box in boxes),
        min(box["y"] for box in boxes),
        max(box["x"] + box["width"] for box in boxes),
        max(box["y"] + box["height"] for box in boxes),
    ]


def _height(box: Box) -> float:
    return box[3] - box[1]


def _middle(box: Box) -> float:
    return (box[1] + box[3]) / 2
