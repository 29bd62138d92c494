"""What goes wrong at a login. No message holds a token, a code or a secret."""

from __future__ import annotations

from video_jobs_client.errors import VideoJobsClientError


class LoginError(VideoJobsClientError):
    """The login did not succeed; the message says why."""


class NotLoggedInError(LoginError):
    """There is no token, or it has expired and cannot be renewed."""

    def __init__(self, url: str, reason: str, profile: str | None = None) -> None:
        option = f" --profile {profile}" if profile else ""
        super().__init__(f"not logged in to {url} ({reason}): run: video-jobs login{option}")


class IssuerAwayError(LoginError):
    """The issuer of tokens does not answer, or answers that something is wrong on its side."""


class IssuerRefusedError(LoginError):
    """The issuer gives no token.

    Parameters
    ----------
    code
        The error of RFC 6749, section 5.2, or what the issuer has instead; empty if it names none.
    """

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code
