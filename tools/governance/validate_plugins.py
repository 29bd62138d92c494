"""``python -m tools.governance.validate_plugins``: plugins and pipelines do what they declare.

Without arguments it checks those of the worker, with ``--plugins`` or ``--pipelines`` your own; your
pipelines may use the worker's plugins too. It prints a line for each thing that it checked, or one for each
problem. Exit status: 0 if all is well, 1 if something is wrong or there was nothing to check.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from video_jobs.domain.errors import SettingError
from video_jobs.settings import WorkerSettings
from video_worker.pipeline_service import BUILT_IN_PIPELINES, VideoFilePipelineService
from video_worker.plugin_registry import BUILT_IN_PLUGINS, load_manifests
from video_worker.plugins.ocr.engines import installed_languages, tessdata_dir

from gpu_worker_image.models.street_demo_training import SHIPPED
from tools.governance.definitions import check_manifests, check_pipelines
from tools.governance.plugin_trial import Checked, PluginTrial, plugin_process

ANSWER_LIMIT_S = 120.0


def validate(plugins: Path, pipelines: Path) -> Iterator[Checked]:
    """Check everything, one thing after the other."""
    settings = settings_for(plugins, pipelines)
    own = load_manifests(BUILT_IN_PLUGINS) if settings.plugins_dir else {}
    languages = installed_languages(tessdata_dir(settings))
    found = list(check_manifests(Path(settings.plugins_dir or BUILT_IN_PLUGINS), own, languages))
    if not found:
        yield Checked(f"plugins in {plugins}", ("there is none: a plugin is a folder with a manifest.json",))
    yield from (checked for checked, _ in found)
    manifests = [manifest for _, manifest in found if manifest]
    with plugin_process(settings, ANSWER_LIMIT_S) as ask:
        yield from PluginTrial(ask).run(manifests, list(own.values()))
    known = {manifest.id: manifest for manifest in manifests} | own
    if not any(pipelines.glob("*.json")):
        yield Checked(f"pipelines in {pipelines}", ("there is none: a pipeline is a file *.json",))
    yield from check_pipelines(pipelines, known)


def settings_for(plugins: Path, pipelines: Path) -> WorkerSettings:
    """The settings of a worker that has these folders and the shipped model."""
    environment = {"MODEL_PATH": str(SHIPPED)}
    if plugins.resolve() != BUILT_IN_PLUGINS.resolve():
        environment["PLUGINS_DIR"] = str(plugins)
    if pipelines.resolve() != BUILT_IN_PIPELINES.resolve():
        environment["PIPELINES_DIR"] = str(pipelines)
    return WorkerSettings.from_environment(environment)


def as_the_worker_sees_it(settings: WorkerSettings) -> Checked:
    """Whether the worker itself takes its folders: it may be stricter than these checks."""
    try:
        VideoFilePipelineService.from_settings(settings)
    except SettingError as error:
        return Checked("worker", (f"it refuses these folders: {error.message}",))
    return Checked("worker", (), "takes these plugins and pipelines")


def report(checked: Checked) -> int:
    """Print one thing; gives the number of its problems."""
    for problem in checked.problems:
        print(f"FAIL  {checked.thing}: {problem}")
    if not checked.problems:
        print(f"ok    {checked.thing}{': ' * bool(checked.detail)}{checked.detail}", flush=True)
    return len(checked.problems)


def main(arguments: Sequence[str] | None = None) -> int:
    """Check and report."""
    parser = argparse.ArgumentParser(prog="validate_plugins", description=__doc__)
    parser.add_argument("--plugins", type=Path, default=BUILT_IN_PLUGINS, help="a folder of plugins")
    parser.add_argument("--pipelines", type=Path, default=BUILT_IN_PIPELINES, help="a folder of pipelines")
    options = parser.parse_args(arguments)
    things = [report(checked) for checked in validate(options.plugins, options.pipelines)]
    if not any(things):
        things.append(report(as_the_worker_sees_it(settings_for(options.plugins, options.pipelines))))
    print(f"{len(things)} things checked, {sum(things)} problems")
    return 1 if any(things) else 0


if __name__ == "__main__":
    sys.exit(main())
