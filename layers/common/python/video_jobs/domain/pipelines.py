"""The pipelines that come with the worker, as clients see them."""

from __future__ import annotations

from collections.abc import Mapping

BUILT_IN: Mapping[str, str] = {
    "yolo_ocr": "Objects, and all text on the frame",
    "yolo_ocr_regions": "Objects, and the text on the plates and signs among them",
    "yolo_only": "Objects only",
    "ocr_only": "Text only",
}
"""Descriptions by pipeline id; a deployment may offer fewer pipelines, or its own (`PIPELINE_IDS`)."""
