"""What one decoder may use."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from video_jobs.settings import WorkerSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderLimits:
    """The limits of one decoder.

    Attributes
    ----------
    memory_mib
        Resident memory in MiB, without what it shares: libraries, and the pictures that it hands over.
    cpu_s
        CPU time of all its threads, in seconds.
    picture_s
        Wall time in which the analysing process waits for one picture, in seconds.
    max_pixels
        Largest picture, width times height.
    """

    memory_mib: int
    cpu_s: int
    picture_s: float
    max_pixels: int

    @classmethod
    def from_settings(cls, settings: WorkerSettings) -> Self:
        """The limits that the settings tell.

        A picture may take half of the time of a frame: so a decoder that hangs is found before the whole
        analysing process is taken to hang, and the models stay loaded.
        """
        return cls(
            memory_mib=settings.decoder_memory_mib,
            cpu_s=settings.job_cpu_s,
            picture_s=settings.frame_limit_s / 2,
            max_pixels=settings.max_frame_pixels,
        )
