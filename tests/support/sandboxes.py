"""Decoders of tests: what opens their files, and what they may use."""

from __future__ import annotations

from video_worker.sandbox.limits import DecoderLimits

OPENER = "tests.support.hostile_decoder:open_video"
MEMORY_MIB = 200
CPU_S = 1


def limits(**changes: float) -> DecoderLimits:
    usual = {"memory_mib": MEMORY_MIB, "cpu_s": CPU_S, "picture_s": 30.0, "max_pixels": 1 << 20}
    return DecoderLimits(**(usual | changes))  # type: ignore[arg-type]
