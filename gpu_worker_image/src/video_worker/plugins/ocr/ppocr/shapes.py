"""The sizes of pictures that the detection model is given; there are few, because each is compiled."""

SMALLEST = (192, 320)
"""Height and width of the smallest; a smaller picture gets a grey margin."""
STEP_PX = 32
"""Sides are multiples of it."""
GREY = (127, 127, 127)
"""What lies outside a picture; the model sees it as 0."""
