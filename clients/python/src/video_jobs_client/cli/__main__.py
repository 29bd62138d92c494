"""``python -m video_jobs_client.cli``, where the folder of the scripts is not on the path."""

from video_jobs_client.cli import main

main()
