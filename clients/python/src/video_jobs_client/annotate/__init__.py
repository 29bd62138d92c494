"""Videos with what was found drawn on them. Needs the extra ``video`` of the package (av, numpy, pillow)."""

from video_jobs_client.annotate.painter import Painter, annotated_picture
from video_jobs_client.annotate.video import annotate_video
from video_jobs_client.errors import AnnotationError, SoundError

__all__ = ["AnnotationError", "Painter", "SoundError", "annotate_video", "annotated_picture"]
