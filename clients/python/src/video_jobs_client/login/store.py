"""Where tokens are kept: the system's keyring, or else a file that only its owner may read."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol, Self, TypeVar

from video_jobs_client.files import replace_privately
from video_jobs_client.locks import locked
from video_jobs_client.login.tokens import Tokens
from video_jobs_client.profiles import config_folder

SERVICE = "video-jobs"
FILE_NAME = "tokens.json"
_RECOMMENDED = 1
"""Below this priority, keyring itself advises against a backend: it stores plain text, or nothing at all."""

T = TypeVar("T")


class Keyring(Protocol):
    """What is used of a backend of the library keyring."""

    def get_password(self, service: str, username: str) -> str | None:
        """The password, or None."""

    def set_password(self, service: str, username: str, password: str) -> None:
        """Store the password."""

    def delete_password(self, service: str, username: str) -> None:
        """Forget the password; an error if there is none."""


class TokenStore:
    """Tokens by account (``Server.account``).

    Parameters
    ----------
    folder
        Where the file is, if one is needed.
    keyring
        None where the system has none. One that fails (locked, no session, a password too long for it) is
        treated as if it were not there.
    """

    def __init__(self, folder: Path, keyring: Keyring | None) -> None:
        self._path, self._keyring = folder / FILE_NAME, keyring

    @classmethod
    def of_this_user(cls, environment: Mapping[str, str] | None = None) -> Self:
        """The store of whoever runs this program."""
        return cls(config_folder(environment), system_keyring())

    def get(self, account: str) -> Tokens | None:
        """The tokens of the account, or None."""
        return self.find(account)[0]

    def find(self, account: str) -> tuple[Tokens | None, str]:
        """The tokens of the account, and in words where they are."""
        # What is in the file is newer: a keyring that takes the tokens removes them there.
        in_file = Tokens.from_text(self._in_file().get(account))
        if in_file is not None or self._keyring is None:
            return in_file, self._file_in_words()
        keyring = self._keyring
        text, _ = _answer_of(lambda: keyring.get_password(SERVICE, account))
        return Tokens.from_text(text), _KEYRING_IN_WORDS

    def save(self, account: str, tokens: Tokens) -> str:
        """Store the tokens; returns in words where they are now: the keyring, or the path of the file."""
        if self._keyring is not None:
            keyring, text = self._keyring, tokens.as_text()
            _, has_worked = _answer_of(lambda: keyring.set_password(SERVICE, account, text))
            if has_worked:
                self._forget_in_file(account)
                return _KEYRING_IN_WORDS
        with locked(self._path.parent):
            self._write({**self._in_file(), account: tokens.as_text()})
        return self._file_in_words()

    def delete(self, account: str) -> bool:
        """Forget the tokens of the account, wherever they are; returns whether there were any."""
        existed = self._forget_in_file(account)
        if self._keyring is not None:
            keyring = self._keyring
            _, has_worked = _answer_of(lambda: keyring.delete_password(SERVICE, account))
            existed |= has_worked
        return existed

    def _file_in_words(self) -> str:
        return f"{self._path} (readable by you only)"

    def _in_file(self) -> dict[str, str]:
        try:
            stored = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            # whoever cannot read it is not logged in, and the next login replaces it
            return {}
        return (
            {name: text for name, text in stored.items() if isinstance(text, str)} if _is_map(stored) else {}
        )

    def _forget_in_file(self, account: str) -> bool:
        if account not in self._in_file():
            return False
        with locked(self._path.parent):
            stored = self._in_file()
            if stored.pop(account, None) is None:
                return False
            self._write(stored)
        return True

    def _write(self, stored: Mapping[str, str]) -> None:
        if stored:
            replace_privately(self._path, json.dumps(stored, indent=1))
        else:
            self._path.unlink(missing_ok=True)


_KEYRING_IN_WORDS = "the keyring of this system"


def system_keyring() -> Keyring | None:
    """The keyring of the system; None if it has none that keeps secrets, or the library is not installed."""
    try:
        import keyring
    except ImportError:
        return None
    ring, _ = _answer_of(keyring.get_keyring)
    return ring if ring is not None and ring.priority >= _RECOMMENDED else None


def _answer_of(call: Callable[[], T]) -> tuple[T | None, bool]:
    """What the keyring answers, and whether it did."""
    try:
        return call(), True
    except Exception:  # noqa: BLE001 - backends are plug-ins and raise what their system raises
        return None, False


def _is_map(value: object) -> bool:
    return isinstance(value, dict)
