"""Webhook secrets in AWS Secrets Manager."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from video_jobs.adapters.aws.errors import error_code, transient_errors_translated
from video_jobs.domain.errors import WebhookSecretError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

_MISSING_CODES = frozenset({"ResourceNotFoundException", "InvalidRequestException"})


class SecretsManagerWebhookSecrets:
    """One secret for each owner; `secret_name` is its name."""

    def __init__(self, client: SecretsManagerClient, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def secret_of(self, owner: str) -> str:
        """GetSecretValue; a secret that is being deleted counts as missing, one without text as empty."""
        try:
            with transient_errors_translated("Secrets Manager"):
                answer = self._client.get_secret_value(SecretId=secret_name(self._prefix, owner))
        except ClientError as exc:
            if error_code(exc) in _MISSING_CODES:
                raise WebhookSecretError from exc
            raise
        return answer.get("SecretString", "")


def secret_name(prefix: str, owner: str) -> str:
    """The name of an owner's secret; bytes that are not allowed in it are written as ``=`` and hex digits."""
    plain = re.sub(rb"[^A-Za-z0-9_.@-]", lambda found: b"=%02X" % found[0][0], owner.encode())
    return prefix + plain.decode()
