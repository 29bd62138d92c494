"""YOLO object detection through Ultralytics."""
