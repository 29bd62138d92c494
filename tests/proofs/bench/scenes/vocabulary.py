"""What signs say: lists written for this benchmark, and plates, times and prices by chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Lines = tuple[tuple[str, float], ...]
"""Text of each line, and its height as a share of the largest line's."""

_ROAD = (
    "EXIT", "Main Street", "SPEED LIMIT", "NO PARKING", "ONE WAY", "Downtown", "Airport", "Harbour Road",
    "STOP", "YIELD", "Bus Lane", "Elm Avenue", "North Bridge", "Ring Road", "ROAD WORK", "DETOUR", "Hospital",
    "Station Street", "Park Lane", "Toll Plaza", "KEEP LEFT", "No Entry", "Pedestrian Zone", "Mill Lane",
    "Castle Hill", "WEST", "Ferry Terminal", "Tunnel", "Slow", "Loading Bay",
)  # fmt: skip
_SHOP = (
    "Bakery", "sweaters", "30% off", "Book Shop", "Pharmacy", "Corner Cafe", "FLOWERS", "Hardware", "Barber",
    "Optician", "Fresh Fruit", "SALE", "Pizza", "Laundry", "Toys", "Bicycles", "Guitars", "Shoe Repair",
    "Ice Cream", "Grand Hotel", "Wine Bar", "Tailor", "Kitchen", "Antiques", "Travel Agency", "Dentist",
    "Coffee House", "Garden Centre", "Furniture", "Jewellery",
)  # fmt: skip
_SUB = (
    "open daily", "since 1987", "first floor", "fresh every day", "Please ring", "Cards welcome",
    "behind the church", "two for one", "new season", "best in town", "Entrance", "Free parking",
    "closed on Monday", "family business", "Ask inside", "up to 50% off", "gifts", "takeaway", "repairs",
    "made by hand",
)  # fmt: skip
_POSTER = (
    "Summer Concert", "City Marathon", "Jazz Night", "Museum Week", "Winter Market", "Open Day", "Film Club",
    "Book Fair", "Dance School", "Charity Run", "Farmers Market", "Science Lecture", "Chess Evening",
    "Town Hall", "Old Theatre", "River Stage", "Free Entry", "Tickets", "Doors open", "May", "October",
    "Saturday", "Sunday", "tonight",
)  # fmt: skip
_DEVICE = (
    "DR650GW-2CH/FHD-HD", "FRONT CAM", "REC", "Unit 7", "SPEED 48", "GATE B2", "Level 3", "Zone 14",
    "Platform 9", "Camera 02", "km 118", "Dock 5", "Lane 4", "Room 210",
)  # fmt: skip
_PLATE_LETTERS = "ABCDEFGHJKLMNPRSTUVWXYZ"
CAPTIONS = (
    "Where did you leave the car?", "I thought we had more time", "Nobody told me about the meeting",
    "She will be here in a minute", "The train leaves at nine tomorrow", "We should never have come here",
    "Can you hear the music outside?", "It was raining when they arrived", "He left the keys on the table",
    "Everything looks different at night", "Take the second road on the left", "You still owe me an answer",
    "My brother works at the harbour", "Nothing happens without a reason", "Let us try again on Friday",
    "They found the letter in the garden", "How long have you known about this?",
    "The doctor said I should rest", "There is something behind the door",
    "Please close the window before you go",
)  # fmt: skip
PAGES = (
    """The harbour office keeps a record of every ship that enters the port. Each entry names the captain,
    the cargo and the number of days at sea. Visitors may read the books in the hall on the second floor
    between nine and five. Photographs are allowed, but please do not lean on the glass. Older volumes are
    stored in the cellar and can be ordered one day ahead. The oldest page dates from 1742 and describes a
    storm that closed the river for eleven days. Many of the early clerks wrote in a small and even hand,
    so that the ink has hardly faded. A list of all families that lived near the quay is kept in the next
    room. Copies cost 20 cents a page. Large maps are copied by hand and take about two weeks.""",
    """Before you start the machine, check that the water tank is full and that the lid is closed. Turn the
    switch to the right and wait until the green lamp stops blinking. The first cup may taste of paper,
    which is harmless. Clean the filter once a week with warm water and never with soap. If the red lamp
    stays on, pull the plug, wait 30 seconds and try again. Do not move the machine while it is hot. Keep
    children away from the steam. After 500 cups a message asks for new seals; any dealer can sell them.
    The guarantee covers two years from the day of purchase and ends when the case has been opened. Write
    the serial number here and keep this leaflet in a dry place together with the receipt.""",
    """Members of the library may borrow up to twelve books for four weeks. Magazines and films are lent for
    seven days. A reminder is sent three days before a loan ends, and each loan can be renewed twice unless
    another reader is waiting. Damaged books must be replaced or paid for. The reading room is quiet; calls
    are welcome in the garden only. Children under six need an adult with them. On Thursdays a storyteller
    visits the upper floor at half past four. Guests from abroad can get a card for the summer at no cost.
    The library is closed on public holidays and during the first week of August, when the shelves are
    counted and dusted. Lost property is kept at the front desk for 90 days and then given to charity.""",
)  # fmt: skip


def road(random: np.random.Generator) -> Lines:
    """A sign of one or two lines, some with a number."""
    first = _cased(random, _pick(random, _ROAD))
    if random.random() < 0.35:
        return ((f"{first} {random.integers(2, 99)}", 1.0),)
    if random.random() < 0.4:
        return ((first, 1.0), (f"{random.integers(1, 20) * 50} m", 0.75))
    return ((first, 1.0),)


def plate(random: np.random.Generator) -> Lines:
    """Letters and digits in groups."""
    letters = "".join(random.choice(list(_PLATE_LETTERS), 5))
    digits = "".join(str(digit) for digit in random.integers(1, 10, 5))
    forms = (
        f"{letters[:3]} {digits[:3]}",
        f"{letters[:2]}{digits[:2]} {letters[2:5]}",
        f"{letters[:2]} {digits[:4]}",
    )
    return ((_pick(random, forms), 1.0),)


def shop(random: np.random.Generator) -> Lines:
    """A large name with a smaller line under it."""
    name = _cased(random, _pick(random, _SHOP))
    below = (_pick(random, _SUB), f"{random.integers(7, 11)}:00-{random.integers(16, 22)}:30", _price(random))
    return ((name, 1.0), (_pick(random, below), random.uniform(0.42, 0.6)))


def poster(random: np.random.Generator) -> Lines:
    """Three or four lines of several sizes."""
    count = int(random.integers(3, 5))
    lines = [_cased(random, str(line)) for line in random.choice(_POSTER, count, replace=False)]
    shares = (1.0, *random.uniform(0.5, 0.8, count - 1))
    return tuple(zip(lines, shares, strict=True))


def device(random: np.random.Generator) -> Lines:
    """A single line such as cameras and buildings carry."""
    return ((_pick(random, _DEVICE), 1.0),)


KINDS: tuple[Callable[[np.random.Generator], Lines], ...] = (road, plate, shop, poster, device)


def _cased(random: np.random.Generator, text: str) -> str:
    return text.upper() if random.random() < 0.3 else text


def _price(random: np.random.Generator) -> str:
    return f"from ${random.integers(2, 60)}.{random.integers(0, 10)}9"


def _pick(random: np.random.Generator, texts: Sequence[str]) -> str:
    return texts[int(random.integers(len(texts)))]
