"""What a client does with the results of ForgeSyte Video Jobs."""

from video_jobs_client.errors import ResultsError, VideoJobsClientError
from video_jobs_client.results import Detection, Frame, Results, Word
from video_jobs_client.summary import Summary

__all__ = ["Detection", "Frame", "Results", "ResultsError", "Summary", "VideoJobsClientError", "Word"]
