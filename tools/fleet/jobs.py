"""A job of the simulation, and its parts: who computes them, and which are joined."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from math import ceil
from typing import NamedTuple

import simpy


@dataclass(slots=True, eq=False)
class Piece:
    """A run of parts that somebody has taken."""

    parts: int
    is_done: bool = False


@dataclass(slots=True, eq=False)
class Run:
    """The parts of a job.

    Attributes
    ----------
    left
        Parts behind the last one that was ever taken.
    pieces
        What was taken, in the order of the video, from the first one that is not joined.
    returned
        Those of them that nobody computes at the moment.
    joined
        Parts that the holder has joined.
    unclaimed
        Messages in the queue that ask for help.
    asks, is_held, is_looking
        Whether it is long enough for help, whether a worker holds the job, and whether it will look soon.
    changed
        Wakes the holder, who has nothing to do but wait for helpers.
    """

    left: int
    pieces: deque[Piece] = field(default_factory=deque)
    returned: list[Piece] = field(default_factory=list)
    joined: int = 0
    unclaimed: int = 0
    asks: bool = False
    is_held: bool = False
    is_looking: bool = False
    changed: simpy.Event | None = None

    @property
    def free(self) -> int:
        """Parts that somebody may take."""
        return self.left + sum(piece.parts for piece in self.returned)

    @property
    def is_joined(self) -> bool:
        """Whether nothing is left to be computed or joined."""
        return not self.left and not self.pieces

    def take(self, most: int) -> Piece | None:
        """The first free parts, at most so many."""
        if self.returned:
            piece = self.returned.pop(0)
            if piece.parts > most:
                self.returned.insert(0, self._split(piece, most))
            return piece
        if not self.left:
            return None
        piece = Piece(min(most, self.left))
        self.left -= piece.parts
        self.pieces.append(piece)
        return piece

    def finish(self, piece: Piece) -> None:
        """All parts of a piece are stored."""
        piece.is_done = True
        if self.changed is not None:
            self.changed.succeed()
            self.changed = None

    def give_back(self, piece: Piece, stored: int) -> None:
        """Whoever had a piece is gone, and has stored so many of its parts."""
        self.returned.append(self._split(piece, stored))
        self.finish(piece)

    def _split(self, piece: Piece, parts: int) -> Piece:
        """Shorten a piece; gives the rest, which stands behind it."""
        rest = Piece(piece.parts - parts)
        piece.parts = parts
        self.pieces.insert(self.pieces.index(piece) + 1, rest)
        return rest


@dataclass(slots=True, eq=False)
class Job:
    """A job; its times are in seconds.

    Attributes
    ----------
    size
        How many jobs its owner has: ``few``, ``some`` or ``many``.
    arrives_s
        When its video is there.
    frame_s
        How long a frame takes.
    run
        Its parts, while it is open; they survive its holder.
    """

    owner: str
    size: str
    arrives_s: float
    frames: int
    frame_s: float
    part_frames: int
    started_s: float = -1.0
    ended_s: float = -1.0
    run: Run | None = None

    def opened(self) -> Run:
        """Its parts, as they are now."""
        if self.run is None:
            self.run = Run(self.parts)
        return self.run

    def end(self, now_s: float) -> None:
        """All is stored."""
        self.ended_s, self.run = now_s, None

    @property
    def parts(self) -> int:
        """How many parts it has; they are of about the same size here."""
        return ceil(self.frames / self.part_frames)

    @property
    def frames_a_part(self) -> float:
        """Frames of each part."""
        return self.frames / self.parts

    @property
    def part_s(self) -> float:
        """How long a part takes."""
        return self.frames_a_part * self.frame_s

    @property
    def wait_s(self) -> float:
        """From the arrival of the video to the first start."""
        return self.started_s - self.arrives_s


class Help(NamedTuple):
    """A message that asks for help with a job."""

    job: Job
