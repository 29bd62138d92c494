"""Makes the pictures of the console in the README, from footage that is generated: ``make pictures``."""

from __future__ import annotations

import tempfile
from pathlib import Path

from video_jobs_client import Client

from gpu_worker_image.models.street_demo_training import SHIPPED
from tests.fixtures.make_tiny_mp4 import PATH as TINY
from tests.support.browser import browser_tools, run_in_browser
from tools.local_stack.console import built_console
from tools.local_stack.stack import LocalStack

FOLDER = Path(__file__).parents[2] / "docs" / "pictures"
MOMENT_MS = 1500


def make(folder: Path) -> None:
    """Write ``console.jpg`` (a job on a desktop) and ``console_phone.jpg`` (the same, dark, on a phone)."""
    with tempfile.TemporaryDirectory() as temporary:
        log_file = Path(temporary) / "local-stack.log"
        settings = {"MODEL_PATH": str(SHIPPED)}
        with LocalStack(log_file=log_file, worker_settings=settings, console=built_console()) as stack:
            stack.wait_until_ready()
            with Client(stack.url) as client:
                job = client.analyse(TINY, filename="street.mp4").wait(timeout=240)
            task = {"url": stack.url, "jobId": job.id, "moment": MOMENT_MS, "folder": str(folder)}
            run_in_browser(Path(__file__).with_name("pictures.js"), {**browser_tools(), **task})


if __name__ == "__main__":
    make(FOLDER)
    print("\n".join(map(str, sorted(FOLDER.glob("console*.jpg")))))
