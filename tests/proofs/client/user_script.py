"""A user's script with both clients of the SDK: ``python user_script.py VIDEO``."""

from __future__ import annotations

import asyncio
import sys

from video_jobs_client import AsyncClient, Client, Frame, Job, JobFailedError, VideoJobsClientError
from video_jobs_client.options import Options

OPTIONS: Options = {"frames_per_second": 2, "classes": ["car"], "region": [0.0, 0.0, 1.0, 1.0]}


def show(frame: Frame) -> str:
    names = [f"{found.class_name} {found.confidence:.2f}" for found in frame.detections]
    return f"{frame.index} {frame.timestamp_ms}: {', '.join([*names, *frame.lines])}"


def on_progress(job: Job) -> None:
    print(job.status, job.resource.percent, file=sys.stderr)


def analyse(video: str) -> list[str]:
    with Client() as client:
        try:
            job = client.analyse(video, **OPTIONS).wait(timeout=120, on_progress=on_progress)
        except JobFailedError as error:
            sys.exit(f"{error.code}: {error}")
        names = [text.text for text in job.summary().texts]
        return [*map(show, job.frames()), *names]


async def analyse_several(videos: list[str]) -> list[list[str]]:
    async with AsyncClient() as client:

        async def one(video: str) -> list[str]:
            job = await client.analyse(video, **OPTIONS)
            await job.wait(timeout=120)
            names = [text.text for text in (await job.summary()).texts]
            return [*[show(frame) async for frame in job.frames()], *names]

        return list(await asyncio.gather(*map(one, videos)))


def main(video: str) -> None:
    try:
        alone = analyse(video)
        together = asyncio.run(analyse_several([video, video]))
    except VideoJobsClientError as error:
        sys.exit(str(error))
    assert together == [alone, alone]
    print("\n".join(alone))


if __name__ == "__main__":
    main(sys.argv[1])
