"""COCO, MOT, CVAT and YOLO, read back by pycocotools, NumPy, Python's XML and Ultralytics."""

from __future__ import annotations

import io
import json
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from video_jobs_client import Results, exports
from video_worker.plugins.yolo.ultralytics_environment import quiet_ultralytics

from tests.support.sample_results import CLASSES, SIZE, pages, sample, text_of, video

GOLDEN = Path(__file__).parents[1] / "fixtures" / "exports"


def test_coco_is_loaded_and_agrees_with_itself(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exports.write_coco(sample(), tmp_path / "coco.json")
    coco = COCO(str(tmp_path / "coco.json"))
    assert [category["name"] for category in coco.loadCats(coco.getCatIds())] == list(CLASSES)
    assert sorted(coco.getImgIds()) == [0, 3, 6, 9]
    first, second = coco.loadAnns(coco.getAnnIds(imgIds=[3]))
    assert (first["bbox"], first["track_id"]) == ([10.25, 20.5, 100.1, 60.25], 7)
    assert (second["bbox"], second["category_id"]) == ([300, 100, 120.5, 100], 2)
    assert "track_id" not in second
    evaluation = COCOeval(coco, coco.loadRes(coco.dataset["annotations"]), "bbox")
    evaluation.evaluate()
    evaluation.accumulate()
    evaluation.summarize()
    assert evaluation.stats[0] == pytest.approx(1.0)
    assert "Average Precision" in capsys.readouterr().out


def test_coco_names_classes_that_the_model_did_not_tell() -> None:
    coco = json.loads(text_of(exports.write_coco, Results(pages(), video())))
    assert [(one["id"], one["name"]) for one in coco["categories"]] == list(enumerate(CLASSES, start=1))


def test_mot_results_are_read_as_trackers_read_them() -> None:
    text = text_of(exports.write_mot_results, sample())
    # motmetrics 1.4.0 reads this file as the boxes of the sample
    assert text == (GOLDEN / "mot.txt").read_text(encoding="utf-8")
    table = np.loadtxt(io.StringIO(text), delimiter=",")
    assert table.shape == (6, 10)
    assert table[3].tolist() == [4, -1, 301, 101, 120.5, 100, 0.775, -1, -1, -1]


def test_mot_ground_truth_has_tracks_only() -> None:
    text = text_of(exports.write_mot_ground_truth, sample())
    # motmetrics 1.4.0 reads this file as well
    assert text == (GOLDEN / "gt.txt").read_text(encoding="utf-8")
    table = np.loadtxt(io.StringIO(text), delimiter=",")
    assert table[:, 1].tolist() == [7, 8, 7, 7, 9]
    assert table[:, 7].tolist() == [1, 3, 1, 1, 2]


def test_cvat_has_tracks_that_end_where_the_object_was_last_seen() -> None:
    text = text_of(exports.write_cvat, sample())
    # datumaro 1.13.12 reads this file as the tracks of the sample
    assert text == (GOLDEN / "cvat.xml").read_text(encoding="utf-8")
    root = ElementTree.fromstring(text)
    tracks = {track.attrib["id"]: track for track in root.findall("track")}
    seen = {
        key: [(int(box.attrib["frame"]), box.attrib["outside"]) for box in track]
        for key, track in tracks.items()
    }
    assert seen == {
        "7": [(0, "0"), (3, "0"), (6, "1"), (9, "0"), (10, "1")],
        "8": [(0, "0"), (3, "1")],
        "9": [(9, "0"), (10, "1")],
    }
    assert tracks["9"].attrib["label"] == CLASSES[1]
    assert [name.text for name in root.findall("meta/task/labels/label/name")] == list(CLASSES)


def test_yolo_labels_are_what_ultralytics_trains_with(tmp_path: Path) -> None:
    # GIVEN labels, and pictures of the same names
    exports.write_yolo(sample(), tmp_path)
    (tmp_path / "images").mkdir()
    for label in (tmp_path / "labels").iterdir():
        Image.new("RGB", SIZE).save(tmp_path / "images" / f"{label.stem}.jpg")
    # WHEN Ultralytics loads them
    quiet_ultralytics()
    from ultralytics.data.dataset import YOLODataset
    from ultralytics.data.utils import check_det_dataset

    data = check_det_dataset(str(tmp_path / "data.yaml"), autodownload=False)
    loaded = YOLODataset(img_path=data["train"], data=data, augment=False).get_labels()
    # THEN they are the detections, also where there are none
    assert data["names"] == dict(enumerate(CLASSES))
    boxes = {Path(one["im_file"]).stem: np.hstack([one["cls"], one["bboxes"]]) for one in loaded}
    assert {name: len(found) for name, found in boxes.items()} == {
        f"frame_00000{index}": count for index, count in ((0, 2), (3, 2), (6, 0), (9, 2))
    }
    class_id, x, y, width, height = boxes["frame_000003"][1]
    assert (class_id, x * 640, y * 360) == pytest.approx((1, 360.25, 150))
    assert (width * 640, height * 360) == pytest.approx((120.5, 100), abs=0.001)


def test_yolo_labels_stay_inside_the_picture_and_every_number_has_a_name(tmp_path: Path) -> None:
    found = {"class_id": 2, "class_name": "person", "confidence": 0.5, "xyxy": [-5, 180, 320, 400]}
    page = {"results": [{"frame_index": 0, "result": {"detections": [found]}}]}
    exports.write_yolo(Results([page], video()), tmp_path)
    assert (tmp_path / "labels" / "frame_000000.txt").read_text() == "2 0.25 0.75 0.5 0.5\n"
    assert (tmp_path / "data.yaml").read_text().endswith('  0: "class_0"\n  1: "class_1"\n  2: "person"\n')
