"""Text of strangers (names of files and classes, what was read in videos), made safe for a terminal."""

from __future__ import annotations


def shown(text: str, keep: str = "") -> str:
    """The text with everything escaped that a terminal would obey, but for the characters in ``keep``.

    Examples
    --------
    >>> shown("EXIT \\x1b[31m12")
    'EXIT \\\\x1b[31m12'
    """
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() or one in keep else _escaped(one) for one in text)


def _escaped(one: str) -> str:
    return one.encode("unicode_escape").decode("ascii")


def shortened(text: str, most: int) -> str:
    """The text on at most so many characters; the end of a name tells more than its middle."""
    safe = shown(text)
    if len(safe) <= most:
        return safe
    tail = most // 2
    return f"{safe[: most - tail - 1]}…{safe[-tail:]}"


def bytes_in_words(count: float) -> str:
    """A size for people.

    Examples
    --------
    >>> bytes_in_words(1536), bytes_in_words(200 * 1024 * 1024)
    ('1.5 KiB', '200.0 MiB')
    """
    for unit in ("bytes", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def seconds_in_words(seconds: float) -> str:
    """A duration for people.

    Examples
    --------
    >>> seconds_in_words(4.2), seconds_in_words(95), seconds_in_words(7260)
    ('4 s', '1 min 35 s', '2 h 1 min')
    """
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if not minutes:
        return f"{whole} s"
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
