"""The summary of a video: tracks, presence of classes and texts, folded from its frames in order."""
