"""What an issuer gives, and the form in which it is stored."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Self


@dataclass(frozen=True)
class Tokens:
    """An access token and what renews it; ``repr`` shows neither.

    Parameters
    ----------
    expires_at
        When the access token expires, in seconds since 1970; None if the issuer did not say.
    refresh_token
        None if the issuer gave none, as it does for machines.
    """

    access_token: str = field(repr=False)
    expires_at: float | None = None
    refresh_token: str | None = field(default=None, repr=False)

    def as_text(self) -> str:
        """The form in which it is stored."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str | None) -> Self | None:
        """What was stored; None if that is nothing, or was written by something else."""
        try:
            stored = json.loads(text or "")
            tokens = cls(stored["access_token"], stored.get("expires_at"), stored.get("refresh_token"))
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        return tokens if tokens._is_sound() else None

    def _is_sound(self) -> bool:
        return (
            isinstance(self.access_token, str)
            and isinstance(self.expires_at, int | float | None)
            and isinstance(self.refresh_token, str | None)
        )
