"""Tokens are kept in the system's keyring, or in a file that only its owner may read."""

from __future__ import annotations

import stat
from pathlib import Path

import keyring
import pytest
from keyring.backends.fail import Keyring as NoBackend
from keyring.backends.null import Keyring as ForgetfulBackend
from keyring.errors import KeyringLocked, PasswordDeleteError
from video_jobs_client.login import Tokens, TokenStore
from video_jobs_client.login.store import system_keyring

TOKENS = Tokens("acce55", 1000.5, "refre5h")
NEWER = Tokens("newer", None, None)
ANN, BOB = "work https://api.example.com", "local http://127.0.0.1:8000"
KEYRING = "the keyring of this system"


class FakeKeyring:
    def __init__(self) -> None:
        self.passwords: dict[tuple[str, str], str] = {}
        self.is_locked = False

    def _check(self) -> None:
        if self.is_locked:
            raise KeyringLocked("acce55")

    def get_password(self, service: str, username: str) -> str | None:
        self._check()
        return self.passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._check()
        self.passwords[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        self._check()
        if self.passwords.pop((service, username), None) is None:
            raise PasswordDeleteError


@pytest.fixture
def ring() -> FakeKeyring:
    return FakeKeyring()


@pytest.fixture
def store(tmp_path: Path, ring: FakeKeyring) -> TokenStore:
    return TokenStore(tmp_path, ring)


def test_the_keyring_keeps_tokens_by_profile_and_server(
    store: TokenStore, ring: FakeKeyring, tmp_path: Path
) -> None:
    assert store.save(ANN, TOKENS) == KEYRING
    assert list(ring.passwords) == [("video-jobs", ANN)]
    assert store.find(ANN) == (TOKENS, KEYRING)
    assert store.get(BOB) is None
    assert list(tmp_path.iterdir()) == []


def test_without_a_keyring_a_file_of_the_user_keeps_them(tmp_path: Path) -> None:
    store = TokenStore(tmp_path / "new", None)
    where = store.save(ANN, TOKENS)
    path = tmp_path / "new" / "tokens.json"
    assert where == f"{path} (readable by you only)"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    store.save(BOB, NEWER)
    assert (store.find(ANN), store.get(BOB)) == ((TOKENS, where), NEWER)


def test_a_locked_keyring_is_replaced_by_the_file_and_takes_over_again(
    store: TokenStore, ring: FakeKeyring, tmp_path: Path
) -> None:
    store.save(ANN, TOKENS)
    ring.is_locked = True
    assert store.get(ANN) is None
    assert store.save(ANN, NEWER).startswith(str(tmp_path))
    # WHEN it is open again, THEN what is newer counts, and the next login leaves nothing in the file
    ring.is_locked = False
    assert store.get(ANN) == NEWER
    assert store.save(ANN, TOKENS) == KEYRING
    assert not (tmp_path / "tokens.json").exists()
    assert store.get(ANN) == TOKENS


def test_deleted_tokens_are_gone_from_both_places(
    store: TokenStore, ring: FakeKeyring, tmp_path: Path
) -> None:
    store.save(ANN, TOKENS)
    TokenStore(tmp_path, None).save(ANN, NEWER)
    TokenStore(tmp_path, None).save(BOB, NEWER)
    assert store.delete(ANN)
    assert not store.delete(ANN)
    assert (ring.passwords, store.get(ANN), store.get(BOB)) == ({}, None, NEWER)


@pytest.mark.parametrize(
    "text",
    ["", "x", "[]", '{"a": "b"}', '{"access_token": 5}', '"x"', '{"access_token": "x", "expires_at": "y"}'],
)
def test_what_something_else_wrote_is_no_token(
    store: TokenStore, ring: FakeKeyring, tmp_path: Path, text: str
) -> None:
    ring.passwords["video-jobs", ANN] = text
    assert store.get(ANN) is None
    (tmp_path / "tokens.json").write_text(text, encoding="utf-8")
    assert store.get(ANN) is None
    assert store.save(ANN, TOKENS) == KEYRING
    assert store.get(ANN) == TOKENS


@pytest.mark.parametrize("backend", [NoBackend, ForgetfulBackend])
def test_a_keyring_that_keeps_nothing_is_none(
    monkeypatch: pytest.MonkeyPatch, backend: type[NoBackend | ForgetfulBackend]
) -> None:
    monkeypatch.setattr(keyring, "get_keyring", backend)
    assert system_keyring() is None


def test_a_keyring_that_cannot_start_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("no session bus")

    monkeypatch.setattr(keyring, "get_keyring", fail)
    assert system_keyring() is None


def test_tokens_are_not_printed() -> None:
    assert "acce55" not in repr(TOKENS)
    assert "refre5h" not in repr(TOKENS)
