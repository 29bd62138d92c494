"""The sizes of pictures that the detection model is given; there are few, because each is compiled."""

SMALLEST = (192, 320)
"""Height and width of the smallest; a smaller picture is widened."""
STEP_PX = 32
"""Sides are multiples of it."""
GREY = (127, 127, 127)
"""The margin of an object's picture; the model sees it as 0."""
