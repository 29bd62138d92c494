"""What a client does with the results of ForgeSyte Video Jobs."""

from video_jobs_client.errors import ResultsError, VideoJobsClientError
from video_jobs_client.results import Detection, Frame, Results, Word

__all__ = ["Detection", "Frame", "Results", "ResultsError", "VideoJobsClientError", "Word"]
