"""Profiles: the servers that a user works with, by name, in ``config.toml`` in the user's config folder.

::

    default_profile = "work"

    [profiles.work]
    url = "https://api.example.com"
    issuer = "https://issuer.example.com"
    client_id = "0123abc"
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from video_jobs_client.addresses import SettingsError, checked_endpoint, checked_server
from video_jobs_client.files import replace_privately
from video_jobs_client.locks import locked

FOLDER_VARIABLE = "VIDEO_JOBS_CONFIG_DIR"
FILE_NAME = "config.toml"
DEFAULT_NAME = "default"
ADDRESSES = {
    "url": checked_server,
    "issuer": checked_endpoint,
    "authorize_url": checked_endpoint,
    "token_url": checked_endpoint,
}
KEYS = (*ADDRESSES, "client_id", "scope", "audience")
"""What a profile knows. A file may have more, which belongs to another version and is kept."""


class UnknownProfileError(SettingsError):
    """No profile has this name; the message lists those that exist."""


@dataclass(frozen=True)
class LoginSettings:
    """How tokens are got: an issuer, or the addresses of its two endpoints; none of it is secret.

    Parameters
    ----------
    issuer
        Address of an OpenID Connect issuer, whose ``/.well-known/openid-configuration`` names the endpoints.
    authorize_url, token_url
        The endpoints themselves; they come before what the issuer says.
    client_id
        Id of the client that is registered with the issuer: a public one (without a secret) for people.
    scope
        Scopes, separated by spaces. By default, people get ``openid``, and ``offline_access`` where the
        issuer has it; machines get what the issuer gives them.
    audience
        For issuers that want to be told which API a token is for, such as Auth0.
    """

    issuer: str | None = None
    authorize_url: str | None = None
    token_url: str | None = None
    client_id: str | None = None
    scope: str | None = None
    audience: str | None = None


@dataclass(frozen=True)
class Profile:
    """A server and how to log in there; ``login`` is None if no token is needed."""

    name: str
    url: str | None = None
    login: LoginSettings | None = None


@dataclass(frozen=True)
class Config:
    """The file of profiles; changes are made to a copy, which ``write`` stores.

    >>> config = Config(Path("config.toml")).with_value("work", "url", "https://api.example.com/")
    >>> config.names, config.profile("work").url
    (['work'], 'https://api.example.com')
    """

    path: Path
    document: Mapping[str, Any] | None = None

    @classmethod
    def read(cls, environment: Mapping[str, str] | None = None) -> Self:
        """What the file says; a file that does not exist says nothing.

        Raises
        ------
        SettingsError
            If it cannot be read, or is no TOML: with its path and the line.
        """
        path = config_folder(environment) / FILE_NAME
        try:
            document = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return cls(path)
        except OSError as error:
            raise SettingsError(f"{path} cannot be read: {error.strerror}") from error
        except UnicodeDecodeError:
            raise SettingsError(f"{path} is no text in UTF-8: mend or delete it") from None
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise SettingsError(f"{path} is broken: {error}. Mend that line, or delete the file") from None
        return cls(path, document)

    @property
    def names(self) -> list[str]:
        """The names of all profiles, sorted."""
        return sorted(self._profiles())

    @property
    def default_name(self) -> str:
        """The profile that is used when none is named."""
        name = (self.document or {}).get("default_profile", DEFAULT_NAME)
        if not isinstance(name, str):
            raise SettingsError(f"{self.path}: default_profile is not a text")
        return name

    def profile(self, name: str) -> Profile:
        """The profile of that name.

        Raises
        ------
        UnknownProfileError
            If there is none.
        SettingsError
            If one of its settings is wrong.
        """
        if name not in self._profiles():
            existing = (
                f"there are: {', '.join(self.names)}"
                if self.names
                else "there is none yet: `video-jobs config set url ADDRESS` makes one"
            )
            raise UnknownProfileError(f"there is no profile {name!r}; {existing}")
        values = {key: self._value(name, key) for key in KEYS if key in self._profiles()[name]}
        url = values.pop("url", None)
        has_issuer = bool(values.keys() & {"issuer", "authorize_url", "token_url"})
        return Profile(name, url, LoginSettings(**values) if has_issuer else None)

    def default_profile(self) -> Profile | None:
        """The default profile; None as long as there is none.

        Raises
        ------
        UnknownProfileError
            If ``default_profile`` of the file names one that does not exist.
        """
        if "default_profile" in (self.document or {}) or self.default_name in self.names:
            return self.profile(self.default_name)
        return None

    def values(self, name: str) -> dict[str, str]:
        """The settings of a profile as the file has them, checked."""
        self.profile(name)
        return {key: self._value(name, key) for key in KEYS if key in self._profiles()[name]}

    def value(self, name: str, key: str) -> str:
        """One setting of a profile, or an empty text; raises SettingsError if there is no such setting."""
        _refuse_unknown(key)
        return self.values(name).get(key, "")

    def with_value(self, name: str, key: str, value: str) -> Self:
        """A copy in which the profile, new or not, has this setting; raises SettingsError if it is wrong."""
        _refuse_unknown(key)
        changed = self._copy()
        changed["profiles"].setdefault(name, {})[key] = _checked(key, value, key)
        return self._with(changed)

    def without_value(self, name: str, key: str) -> Self:
        """A copy in which the profile does not have this setting; raises SettingsError if it is unknown."""
        _refuse_unknown(key)
        self.profile(name)
        changed = self._copy()
        changed["profiles"][name].pop(key, None)
        return self._with(changed)

    def without_profile(self, name: str) -> Self:
        """A copy without the profile; if it was the default one, there is none until one is chosen."""
        if name not in self._profiles():
            self.profile(name)
        changed = self._copy()
        del changed["profiles"][name]
        if changed.get("default_profile") == name:
            del changed["default_profile"]
        return self._with(changed)

    def with_default(self, name: str) -> Self:
        """A copy in which this profile is the default."""
        self.profile(name)
        return self._with({**self._copy(), "default_profile": name})

    @classmethod
    def change(cls, changed: Callable[[Self], Self]) -> Self:
        """Replace the file by what becomes of it; another program that changes it too waits for its turn."""
        with locked(config_folder()):
            config = changed(cls.read())
            config.write()
        return config

    def write(self) -> None:
        """Replace the file; what this version does not know is kept, comments are not."""
        import tomli_w  # of the extra `cli`; those who only read the file need not have it

        replace_privately(self.path, tomli_w.dumps(self.document or {}))

    def _with(self, document: Mapping[str, Any]) -> Self:
        return type(self)(self.path, document)

    def _copy(self) -> dict[str, Any]:
        return deepcopy({**(self.document or {}), "profiles": self._profiles()})

    def _profiles(self) -> dict[str, dict[str, Any]]:
        profiles = (self.document or {}).get("profiles", {})
        if not isinstance(profiles, dict) or not all(isinstance(one, dict) for one in profiles.values()):
            raise SettingsError(f"{self.path}: a profile is a table such as [profiles.{DEFAULT_NAME}]")
        return profiles

    def _value(self, name: str, key: str) -> str:
        return _checked(key, self._profiles()[name][key], f"{key} of profile {name!r} in {self.path}")


def config_folder(environment: Mapping[str, str] | None = None) -> Path:
    """The folder of settings: VIDEO_JOBS_CONFIG_DIR, or that of the system for the user."""
    folder = (os.environ if environment is None else environment).get(FOLDER_VARIABLE)
    if folder:
        return Path(folder)
    from platformdirs import user_config_path

    return user_config_path("video-jobs")


def _refuse_unknown(key: str) -> None:
    if key not in KEYS:
        raise SettingsError(f"there is no setting {key!r}; there are: {', '.join(KEYS)}")


def _checked(key: str, value: object, called: str) -> str:
    """The value of a setting that the message calls ``called``."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise SettingsError(f"{called} is not a text, or is empty")
    check = ADDRESSES.get(key)
    return value if check is None else check(value, called)
