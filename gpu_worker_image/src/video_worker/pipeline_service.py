"""Run a pipeline over a video file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any, Self

import av
import cv2
import numpy as np
from video_jobs.domain.errors import SettingError, UnknownPipelineError
from video_jobs.settings import WorkerSettings

from video_worker.analysis import KeepGoing, RunRequest
from video_worker.dag_runner import DagRunner
from video_worker.ordered_pool import ordered_results
from video_worker.pipeline_definition import PipelineDefinition, load_pipelines
from video_worker.plugin_registry import (
    BUILT_IN_PLUGINS,
    Manifest,
    Plugin,
    create_plugin,
    load_manifests,
)
from video_worker.video_reader import VideoReader

BUILT_IN_PIPELINES = Path(__file__).parent / "pipelines"


class PipelineRun:
    """One pass over a video: iterate it for the frames, then read ``warnings``.

    Attributes
    ----------
    frames_total
        How many frames will be processed; None if the container does not tell.
    warnings
        Set after the last frame.
    """

    def __init__(
        self,
        reader: VideoReader,
        runner: DagRunner,
        request: RunRequest,
        threads: int,
        keep_going: KeepGoing | None,
    ) -> None:
        self._reader = reader
        self._runner = runner
        self._request = request
        self._threads = threads
        self._keep_going = keep_going
        wanted = request.max_frames
        self._limit = None if wanted is None else max(0, wanted - request.skip_frames)
        self.frames_total = _frames_total(reader.track.frames, request.frame_stride, wanted)
        self.warnings: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        with self._reader:
            given = 0
            for result in ordered_results(self._work(), _run_frame, self._threads):
                yield result
                given += 1
                if self._keep_going is not None:
                    self._keep_going()
            if self._limit is None or given < self._limit:
                self.warnings = self._reader.warnings()

    def _work(self) -> Iterator[tuple[DagRunner, dict[str, Any]]]:
        """Yield each frame with the runner of its part."""
        skip, stride = self._request.skip_frames, self._request.frame_stride
        frames = islice(self._reader.frames(stride, first=skip * stride), self._limit)
        runner, begun_at = None, skip
        for number, (frame_index, image) in enumerate(frames, start=skip):
            if runner is None or number % self._request.part_frames == 0:
                runner, begun_at = self._runner.begin_part(), number
            yield runner, {"frame_index": frame_index, "position": number - begun_at, "image": image}


def _run_frame(work: tuple[DagRunner, dict[str, Any]]) -> dict[str, Any]:
    runner, payload = work
    return {"frame_index": payload["frame_index"], "result": runner.run(payload)}


class VideoFilePipelineService:
    """The pipelines with their plugins, each plugin loaded once.

    Examples
    --------
    >>> service = VideoFilePipelineService.from_settings(settings)  # doctest: +SKIP
    >>> for frame in service.run_on_file("clip.mp4", "yolo_ocr", frame_stride=5):  # doctest: +SKIP
    ...     print(frame["frame_index"], frame["result"]["classes"])
    """

    def __init__(
        self,
        pipelines: Mapping[str, PipelineDefinition],
        manifests: Mapping[str, Manifest],
        settings: WorkerSettings,
    ) -> None:
        self._pipelines = pipelines
        self._manifests = manifests
        self._settings = settings
        self._plugins: dict[str, Plugin] = {}
        for definition in pipelines.values():
            _check_tools(definition, manifests)

    @classmethod
    def from_settings(cls, settings: WorkerSettings) -> Self:
        """Load the built-in pipelines and plugins, and those in the folders that the settings name."""
        pipelines = load_pipelines(BUILT_IN_PIPELINES)
        if settings.pipelines_dir:
            pipelines |= load_pipelines(Path(settings.pipelines_dir))
        further = [Path(settings.plugins_dir)] if settings.plugins_dir else []
        return cls(pipelines, load_manifests(BUILT_IN_PLUGINS, *further), settings)

    def run_on_file(
        self,
        mp4_path: str | Path,
        pipeline_id: str,
        frame_stride: int = 1,
        max_frames: int | None = None,
    ) -> PipelineRun:
        """Process a whole file (`run`)."""
        return self.run(RunRequest(Path(mp4_path), pipeline_id, frame_stride, max_frames))

    def run(self, request: RunRequest, keep_going: KeepGoing | None = None) -> PipelineRun:
        """Process a video's frames in order.

        Parameters
        ----------
        keep_going
            Called after each frame; if it raises, the run ends with that error.

        Returns
        -------
        PipelineRun
            Gives ``{"frame_index": int, "result": {...}}`` for each frame.

        Raises
        ------
        UnknownPipelineError
            If there is no such pipeline.
        UnreadableVideoError
            If the file cannot be opened or, while iterating, no frame can be decoded.
        """
        runner = self._runner(request.pipeline_id)
        reader = VideoReader(request.path, self._settings.max_frame_pixels)
        return PipelineRun(reader, runner, request, self._settings.frames_at_once, keep_going)

    def prepare(self) -> None:
        """Nothing to prepare: plugins are loaded when they are first needed."""

    def warm_up(self) -> None:
        """Run every pipeline once, so that the first job does not wait until its models are loaded."""
        blank = np.zeros((64, 64, 3), np.uint8)
        for pipeline_id in self._pipelines:
            runner = self._runner(pipeline_id).begin_part()
            runner.run({"frame_index": 0, "position": 0, "image": blank})

    def fingerprint(self, pipeline_id: str) -> dict[str, Any]:
        """Everything besides video and options that the results depend on: models, libraries, precision."""
        definition = self._definition(pipeline_id)
        used = sorted({node.plugin_id for node in definition.nodes.values()})
        facts: dict[str, Any] = {
            "pipeline": pipeline_id,
            "opencv": cv2.__version__,
            "av": av.__version__,
            "plugins": {
                name: {"version": self._manifests[name].version, **self._plugin(name).facts()}
                for name in used
            },
        }
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        return {"id": digest[:16], **facts}

    def _runner(self, pipeline_id: str) -> DagRunner:
        definition = self._definition(pipeline_id)
        tools = {
            name: self._plugin(node.plugin_id).tool(node.tool_id) for name, node in definition.nodes.items()
        }
        return DagRunner(definition, tools)

    def _definition(self, pipeline_id: str) -> PipelineDefinition:
        if pipeline_id not in self._pipelines:
            raise UnknownPipelineError(f"This worker has no pipeline {pipeline_id!r}")
        return self._pipelines[pipeline_id]

    def _plugin(self, plugin_id: str) -> Plugin:
        if plugin_id not in self._plugins:
            self._plugins[plugin_id] = create_plugin(self._manifests[plugin_id], self._settings)
        return self._plugins[plugin_id]


def _check_tools(definition: PipelineDefinition, manifests: Mapping[str, Manifest]) -> None:
    for node in definition.nodes.values():
        manifest = manifests.get(node.plugin_id)
        if manifest is None or node.tool_id not in manifest.tools:
            raise SettingError(
                f"pipeline {definition.id!r}: no plugin {node.plugin_id!r} has a tool {node.tool_id!r}"
            )


def _frames_total(frames: int | None, stride: int, max_frames: int | None) -> int | None:
    if frames is None:
        return max_frames
    total = -(-frames // stride)
    return total if max_frames is None else min(total, max_frames)
