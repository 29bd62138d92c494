"""Write down what must not be lost, and compare it with what there is."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from pathlib import Path

from tools.rollback.actions import Action
from tools.rollback.deployment import QUEUE, Aws, Deployment
from tools.rollback.items import Item, items_of, open_jobs, tables_there, to_line
from tools.rollback.lines import digest, file_hash, read_lines, write_lines
from tools.rollback.objects import ObjectFiles, Wanted, buckets_there
from tools.rollback.queues import FILE_NAME as MESSAGES
from tools.rollback.queues import MessageFile, Pause, waiting
from tools.rollback.record import Record, Resource, UnfinishedError

OPEN_JOBS = "open_jobs.jsonl"
CHECKSUMS = "SHA256SUMS"


class Export:
    """What goes into the folder.

    Parameters
    ----------
    pause
        Waits between two looks at a queue.
    """

    def __init__(self, aws: Aws, deployment: Deployment, record: Record, folder: Path, pause: Pause) -> None:
        self._aws = aws
        self._deployment = deployment
        self._record = record
        self._folder = folder
        self._pause = pause

    def open_work(self, wait_s: float, poll_s: float) -> Iterator[Action]:
        """The messages that are left, then the jobs that have not ended."""
        if self._deployment.exists:
            messages = MessageFile(self._aws, self._folder)
            empty = partial(messages.empty, wait_s=wait_s, poll_s=poll_s, pause=self._pause)
            for queue in self._deployment.of(QUEUE):
                count = waiting(self._aws, queue)
                text = f"move the messages of {queue.logical_id} (about {count}) to {MESSAGES}"
                yield Action(text, partial(empty, queue))
        if tables_there(self._aws, self._deployment) and not self._record.purge_started:
            yield from self._open_jobs()

    def data(self, *, with_videos: bool) -> Iterator[Action]:
        """Items, results and, where asked for, videos."""
        kind = "videos" if with_videos else "results"
        if not self._has_data() or self._record.purge_started or self._is_done(kind):
            return
        for table in tables_there(self._aws, self._deployment):
            save = partial(self._save_items, table)
            yield Action(f"export the items of {table.logical_id} to {_items_file(table)}", save)
        what = "results and videos" if with_videos else "results, and the videos of open jobs"
        yield Action(f"export {what} to objects/", partial(self._save_objects, kind))
        yield Action("compare the export with table and bucket", partial(self._finish, kind))

    def before_purge(self) -> Iterator[Action]:
        """Compare the export once more; without one, save what open jobs need."""
        if not self._has_data() or self._record.purge_started:
            return
        if self._record.exported:
            yield Action("compare the export with table and bucket", self.verify)
        else:
            yield from self._open_jobs()
            yield Action("export the videos of open jobs to objects/", self._save_open_videos)
        yield Action("note that the data is being deleted", self._start_purge)

    def verify(self) -> None:
        """Compare every item and every object.

        Raises
        ------
        UnfinishedError
            If something differs.
        """
        for table in tables_there(self._aws, self._deployment):
            self._verify_lines(_items_file(table), items_of(self._aws, table))
        self._objects().verify(self._wanted(self._record.exported).takes)

    def write_checksums(self) -> None:
        """``SHA256SUMS`` of all files, as ``sha256sum --check`` reads it."""
        names = [path.name for path in self._folder.glob("*.jsonl")]
        hashes = {name: file_hash(self._folder / name) for name in names}
        hashes |= {entry["path"]: entry["sha256"] for entry in self._objects().listing()}
        write_lines(self._folder / CHECKSUMS, (f"{hashes[name]}  {name}" for name in sorted(hashes)))

    def _open_jobs(self) -> Iterator[Action]:
        now = digest(map(to_line, open_jobs(self._aws, self._deployment)))
        if now != digest(read_lines(self._folder / OPEN_JOBS)):
            yield Action(f"export the open jobs ({now[0]}) to {OPEN_JOBS}", self._save_open_jobs)

    def _save_open_jobs(self) -> None:
        write_lines(self._folder / OPEN_JOBS, map(to_line, open_jobs(self._aws, self._deployment)))
        self._verify_lines(OPEN_JOBS, open_jobs(self._aws, self._deployment))
        self.write_checksums()

    def _save_items(self, table: Resource) -> None:
        write_lines(self._folder / _items_file(table), map(to_line, items_of(self._aws, table)))

    def _save_objects(self, kind: str) -> None:
        self._objects().save(self._wanted(kind).takes)

    def _save_open_videos(self) -> None:
        takes = self._wanted("").takes
        self._objects().save(takes)
        self._objects().verify(takes)
        self.write_checksums()

    def _finish(self, kind: str) -> None:
        self._record.exported = kind
        self.verify()
        self.write_checksums()
        self._record.save()

    def _start_purge(self) -> None:
        self._record.purge_started = True
        self._record.save()

    def _is_done(self, kind: str) -> bool:
        if self._record.exported != kind:
            return False
        try:
            self.verify()
        except UnfinishedError:
            return False
        return True

    def _verify_lines(self, name: str, items: Iterator[Item]) -> None:
        if digest(read_lines(self._folder / name)) != digest(map(to_line, items)):
            raise UnfinishedError(f"The table is not what {name} holds any more; run again")

    def _has_data(self) -> bool:
        return bool(tables_there(self._aws, self._deployment) or buckets_there(self._aws, self._deployment))

    def _wanted(self, kind: str) -> Wanted:
        tables = tables_there(self._aws, self._deployment)
        items = chain.from_iterable(items_of(self._aws, table) for table in tables)
        return Wanted(items, with_results=bool(kind), with_videos=kind == "videos")

    def _objects(self) -> ObjectFiles:
        return ObjectFiles(self._aws, self._deployment, self._folder)


def _items_file(table: Resource) -> str:
    return f"items-{table.logical_id}.jsonl"
