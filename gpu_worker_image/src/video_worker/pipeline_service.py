"""Run a pipeline over a video file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np
from video_jobs.domain.errors import (
    PipelineError,
    SettingError,
    UnknownPipelineError,
    UnsupportedOptionError,
)
from video_jobs.domain.object_choice import ALL_OBJECTS, ObjectChoice
from video_jobs.domain.region import Region
from video_jobs.domain.sampling import Sampling
from video_jobs.domain.text_engines import NOTHING_CHOSEN, TextChoice
from video_jobs.settings import WorkerSettings

from video_worker.analysis import AnalysedFrame, KeepGoing, RunRequest
from video_worker.dag_runner import DagRunner
from video_worker.pipeline_definition import PipelineDefinition, load_pipelines
from video_worker.pipeline_run import PipelineRun
from video_worker.plugin_registry import (
    BUILT_IN_PLUGINS,
    ChoosingPlugin,
    Manifest,
    Plugin,
    create_plugin,
    load_manifests,
)
from video_worker.video.open_video import VideoOpener
from video_worker.video.video_reader import VideoReader, decoding_facts

BUILT_IN_PIPELINES = Path(__file__).parent / "pipelines"


class VideoFilePipelineService:
    """The pipelines with their plugins, each plugin loaded once.

    Parameters
    ----------
    open_video
        Opens the videos, in this process or in another one.

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
        open_video: VideoOpener,
    ) -> None:
        self._pipelines = pipelines
        self._manifests = manifests
        self._settings = settings
        self._open_video = open_video
        self._plugins: dict[str, Plugin] = {}
        for definition in pipelines.values():
            _check_tools(definition, manifests)

    @classmethod
    def from_settings(cls, settings: WorkerSettings, open_video: VideoOpener = VideoReader) -> Self:
        """Load the built-in pipelines and plugins, and those in the folders that the settings name."""
        pipelines = load_pipelines(BUILT_IN_PIPELINES)
        if settings.pipelines_dir:
            pipelines |= load_pipelines(Path(settings.pipelines_dir))
        further = [Path(settings.plugins_dir)] if settings.plugins_dir else []
        return cls(pipelines, load_manifests(BUILT_IN_PLUGINS, *further), settings, open_video)

    def run_on_file(
        self,
        mp4_path: str | Path,
        pipeline_id: str,
        frame_stride: int = 1,
        max_frames: int | None = None,
        *,
        text_engine: str | None = None,
        languages: Sequence[str] = (),
        classes: Sequence[str] = (),
        min_confidence: float | None = None,
        region: Region | None = None,
        start_ms: float | None = None,
        end_ms: float | None = None,
        frames_per_second: float | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Process a whole file, and yield ``{"frame_index": int, "result": {...}}`` for each frame.

        Parameters
        ----------
        text_engine, languages
            What reads the text, and Tesseract's language codes; without them the settings decide.
        frame_stride, start_ms, end_ms, frames_per_second
            Which frames are chosen; see `Sampling`.
        classes, min_confidence
            Which objects are wanted; without them all classes, with the confidence that the settings name.
        region
            The part of the picture that is analysed.

        Raises
        ------
        InvalidRequestError
            If languages are chosen for an engine that has none.
        UnknownPipelineError, UnreadableVideoError, ResourceLimitError, PipelineError
            As `run` does.
        UnknownClassError, UnsupportedOptionError
            As `run` does.
        """
        text = TextChoice.of(text_engine, languages)
        sampling = Sampling(
            stride=frame_stride, start_ms=start_ms, end_ms=end_ms, frames_per_second=frames_per_second
        )
        objects = ObjectChoice(tuple(classes), min_confidence)
        request = RunRequest(
            Path(mp4_path), pipeline_id, sampling, max_frames, text=text, objects=objects, region=region
        )
        return (
            {"frame_index": item.frame_index, "result": item.result}
            for item in self.run(request)
            if isinstance(item, AnalysedFrame)
        )

    def run(self, request: RunRequest, keep_going: KeepGoing | None = None) -> PipelineRun:
        """Open a video, to process its frames in order.

        Raises
        ------
        UnknownPipelineError
            If there is no such pipeline.
        UnreadableVideoError
            If the file cannot be opened or, while iterating, no frame can be decoded.
        NoFrameChosenError
            While iterating, if the video has no frame between ``start_ms`` and ``end_ms``.
        ResourceLimitError
            If the pictures are too large.
        OutsideRangesError
            If the file is an excerpt, and more of it is needed, now or while iterating.
        PipelineError
            If this worker has not the text engine or the languages that the request names.
        UnknownClassError
            If the pipeline never finds objects of one of the classes.
        UnsupportedOptionError
            If the pipeline cannot choose objects as the request says.
        """
        runner = self._runner(request.pipeline_id, request.text, request.objects, request.region)
        most = self._settings.max_frame_pixels
        opened = self._open_video(request.path, most, request.sampling, request.excerpt)
        with ExitStack() as on_error:
            on_error.push(opened.__exit__)
            run = PipelineRun(opened, runner, request, self._settings.frames_at_once, keep_going)
            on_error.pop_all()
            return run

    def prepare(self) -> None:
        """Nothing to prepare: plugins are loaded when they are first needed."""

    def warm_up(self) -> None:
        """Run every pipeline once, so that the first job does not wait until its models are loaded."""
        self._load_plugins()
        blank = np.zeros((64, 64, 3), np.uint8)
        for pipeline_id in self._pipelines:
            runner = self._runner(pipeline_id).begin_part()
            runner.run({"frame_index": 0, "position": 0, "image": blank})

    def _load_plugins(self) -> None:
        """Load the plugins side by side: each compiles its models mostly on one core."""
        nodes = [node for definition in self._pipelines.values() for node in definition.nodes.values()]
        with ThreadPoolExecutor(thread_name_prefix="load") as pool:
            list(pool.map(self._plugin, sorted({node.plugin_id for node in nodes})))

    def fingerprint(self, pipeline_id: str, text: TextChoice = NOTHING_CHOSEN) -> dict[str, Any]:
        """Everything besides video and frames that the results depend on: models, libraries, precision."""
        definition = self._definition(pipeline_id)
        used = sorted({node.plugin_id for node in definition.nodes.values()})
        options = {**text.for_plugins(), **ALL_OBJECTS.for_plugins()}
        facts: dict[str, Any] = {
            "pipeline": pipeline_id,
            "opencv": cv2.__version__,
            "decoding": decoding_facts(),
            "plugins": {
                name: {"version": self._manifests[name].version, **self._chosen_plugin(name, options).facts()}
                for name in used
            },
        }
        digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        return {"id": digest[:16], **facts}

    def _runner(
        self,
        pipeline_id: str,
        text: TextChoice = NOTHING_CHOSEN,
        objects: ObjectChoice = ALL_OBJECTS,
        region: Region | None = None,
    ) -> DagRunner:
        definition = self._definition(pipeline_id)
        _check_objects(objects, definition, self._manifests)
        options = {**text.for_plugins(), **objects.for_plugins()}
        tools = {
            name: self._chosen_plugin(node.plugin_id, options).tool(node.tool_id)
            for name, node in definition.nodes.items()
        }
        return DagRunner(definition, tools, region)

    def _definition(self, pipeline_id: str) -> PipelineDefinition:
        if pipeline_id not in self._pipelines:
            raise UnknownPipelineError(f"This worker has no pipeline {pipeline_id!r}")
        return self._pipelines[pipeline_id]

    def _chosen_plugin(self, plugin_id: str, options: Mapping[str, Any]) -> Plugin:
        """The plugin as the job wants it; one that offers no choice stays as it is."""
        plugin = self._plugin(plugin_id)
        if not isinstance(plugin, ChoosingPlugin):
            return plugin
        try:
            return plugin.with_options(options)
        except SettingError as error:
            raise PipelineError(f"This worker cannot read text as the job asks: {error.message}") from error

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


def _check_objects(
    objects: ObjectChoice, definition: PipelineDefinition, manifests: Mapping[str, Manifest]
) -> None:
    """Refuse a choice that a tool would ignore: some tool takes it, and each that gives detections."""
    tools = [manifests[node.plugin_id].tools[node.tool_id] for node in definition.nodes.values()]
    for name in objects.chosen:
        takes = [name in tool.get("options", ()) for tool in tools]
        if not any(takes) or any(
            "detections" in tool["output_types"] and not takes_it
            for tool, takes_it in zip(tools, takes, strict=True)
        ):
            raise UnsupportedOptionError(
                f"The pipeline {definition.id!r} does not take {name}: "
                "leave it out, or take a pipeline that detects objects by it"
            )
