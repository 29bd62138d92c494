"""Results and summaries in the formats of other programs: pure functions; results are read frame by frame.

Equal results always give equal files. A target is a path, or an open text file (for Parquet a binary one); a
path is only replaced once the export is complete.
"""

from video_jobs_client.exports.coco import write_coco
from video_jobs_client.exports.cvat import write_cvat
from video_jobs_client.exports.mot import write_mot_ground_truth, write_mot_results
from video_jobs_client.exports.parquet import write_detections_parquet, write_words_parquet
from video_jobs_client.exports.subtitles import write_srt, write_webvtt
from video_jobs_client.exports.tables import (
    write_detections_csv,
    write_jsonl,
    write_texts_csv,
    write_tracks_csv,
    write_words_csv,
)
from video_jobs_client.exports.yolo import write_yolo

__all__ = [
    "write_coco",
    "write_cvat",
    "write_detections_csv",
    "write_detections_parquet",
    "write_jsonl",
    "write_mot_ground_truth",
    "write_mot_results",
    "write_srt",
    "write_texts_csv",
    "write_tracks_csv",
    "write_webvtt",
    "write_words_csv",
    "write_words_parquet",
    "write_yolo",
]
