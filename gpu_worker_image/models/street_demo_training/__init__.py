"""How the model street_demo was made: scenes with exact truth, training, export and measures.

It stands beside the model's folder, not in it: every file in that folder counts towards the fingerprint of
the results.
"""

from pathlib import Path

SHIPPED = Path(__file__).parents[1] / "street_demo"
"""The folder of the model that the worker image ships."""
