"""Verify results: recompute some parts with a worker on this machine, and compare bytes.

Examples
--------
>>> from video_jobs_client.verification import PartChoice
>>> PartChoice(count=3, seed=1).ranges(frames=2000)  # of eight parts
((0, 1), (2, 3), (5, 6))
"""

from video_jobs_client.verification.errors import (
    NothingToVerifyError,
    OtherVideoError,
    VerificationError,
    WorkerFailedError,
    WorkerMissingError,
    WorkerSettingError,
)
from video_jobs_client.verification.report import FingerprintDifference, FrameDifference, Verification
from video_jobs_client.verification.verifying import PartChoice, verify

__all__ = [
    "FingerprintDifference",
    "FrameDifference",
    "NothingToVerifyError",
    "OtherVideoError",
    "PartChoice",
    "Verification",
    "VerificationError",
    "WorkerFailedError",
    "WorkerMissingError",
    "WorkerSettingError",
    "verify",
]
