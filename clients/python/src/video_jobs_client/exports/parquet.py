"""Parquet, with the columns of the CSV files. Needs the extra ``export`` of the package (pyarrow).

Source: https://parquet.apache.org/docs/file-format/.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, TypeAlias

from video_jobs_client.errors import MissingExtraError
from video_jobs_client.exports.tables import DETECTION_COLUMNS, WORD_COLUMNS, detection_rows, word_rows
from video_jobs_client.files import PathOrName, replacing
from video_jobs_client.results import Results

if TYPE_CHECKING:
    import pyarrow

BinaryTarget: TypeAlias = "PathOrName | BinaryIO"
"""A path, or an open binary file."""

ROWS_IN_A_GROUP = 65_536
"""As many rows are in memory at a time, and in a row group of the file."""

_INTEGERS = {"frame_index", "track_id", "class_id", "block_num", "line_num"}
_STRINGS = {"class_name", "text"}
_NULLABLE = {"timestamp_ms", "track_id"}


def write_detections_parquet(results: Results, target: BinaryTarget) -> None:
    """One row for each detection, with the columns of `write_detections_csv`.

    The same version of pyarrow gives equal bytes for equal results.

    Raises
    ------
    MissingExtraError
        If pyarrow is not installed.
    """
    _write(DETECTION_COLUMNS, detection_rows(results), target)


def write_words_parquet(results: Results, target: BinaryTarget) -> None:
    """One row for each word, with the columns of `write_words_csv`; raises as `write_detections_parquet`."""
    _write(WORD_COLUMNS, word_rows(results), target)


def _write(columns: list[str], rows: Iterator[list[Any]], target: BinaryTarget) -> None:
    parquet = _pyarrow_parquet()
    schema = _schema(columns)
    with _opened(target) as file, parquet.ParquetWriter(file, schema, compression="zstd") as writer:
        while group := list(islice(rows, ROWS_IN_A_GROUP)):
            writer.write_table(_table(group, schema), row_group_size=ROWS_IN_A_GROUP)


def _table(rows: Iterable[list[Any]], schema: pyarrow.Schema) -> pyarrow.Table:
    import pyarrow

    values = zip(*rows, strict=True)
    columns = [pyarrow.array(column, field.type) for column, field in zip(values, schema, strict=True)]
    return pyarrow.Table.from_arrays(columns, schema=schema)


def _schema(columns: list[str]) -> pyarrow.Schema:
    import pyarrow

    def kind(name: str) -> pyarrow.DataType:
        if name in _INTEGERS:
            return pyarrow.int64()
        return pyarrow.string() if name in _STRINGS else pyarrow.float64()

    return pyarrow.schema([pyarrow.field(name, kind(name), name in _NULLABLE) for name in columns])


@contextmanager
def _opened(target: BinaryTarget) -> Iterator[BinaryIO]:
    if not isinstance(target, (str, os.PathLike)):
        yield target
        return
    with replacing(target) as unfinished, unfinished.open("wb") as file:
        yield file


def _pyarrow_parquet() -> Any:
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise MissingExtraError("Parquet needs pyarrow: pip install 'video-jobs-client[export]'") from error
    return pyarrow.parquet
