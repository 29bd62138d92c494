"""Logins: people with their browser, programs with a secret (extra ``cli``).

::

    server = find_server(profile="work")
    tokens = log_in_with_browser(server.profile.login, show_url=print)
    print("The token is in", TokenStore.of_this_user().save(server.account, tokens))
    client = Client(server.url, token_provider=token_provider(server))

The API takes the *access* token. That of Cognito has no ``aud``: API Gateway compares its ``client_id`` with
``JwtAudience``.
"""

from video_jobs_client.login.browser import log_in_with_browser
from video_jobs_client.login.errors import IssuerAwayError, IssuerRefusedError, LoginError, NotLoggedInError
from video_jobs_client.login.machine import log_in_as_machine
from video_jobs_client.login.provider import StoredToken, token_provider
from video_jobs_client.login.store import TokenStore
from video_jobs_client.login.tokens import Tokens

__all__ = [
    "IssuerAwayError",
    "IssuerRefusedError",
    "LoginError",
    "NotLoggedInError",
    "StoredToken",
    "TokenStore",
    "Tokens",
    "log_in_as_machine",
    "log_in_with_browser",
    "token_provider",
]
