"""``make webhook-secret``: give an owner the secret that webhooks are signed with, or replace it.

A new secret is printed once, for the receiver. Replacing keeps the old one valid beside it until the
next replacement, so that the receiver has time to change.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from base64 import b64encode
from typing import Any

import boto3
from video_jobs.adapters.aws.secrets_manager import secret_name
from video_jobs.domain.webhooks import SECRET_PREFIX

_KEY_BYTES = 32


def main() -> int:
    """Create or replace."""
    parser = argparse.ArgumentParser(prog="webhook_secret", description=__doc__)
    parser.add_argument("--stack", required=True, help="name of the deployed stack")
    parser.add_argument("--owner", required=True, help="the sub of the owner's tokens")
    arguments = parser.parse_args()
    name = secret_name(f"{arguments.stack}/webhooks/", arguments.owner)
    client = boto3.client("secretsmanager")
    secret = new_secret(client, name)
    print(f"Stored as {name} in {client.meta.region_name}; the secret, for the receiver:", file=sys.stderr)
    print(secret)
    return 0


def new_secret(client: Any, name: str) -> str:
    """Store a new secret under ``name``, in front of the newest that is there, and give it."""
    secret = SECRET_PREFIX + b64encode(secrets.token_bytes(_KEY_BYTES)).decode()
    try:
        client.create_secret(Name=name, SecretString=secret)
    except client.exceptions.ResourceExistsException:
        old = client.get_secret_value(SecretId=name)["SecretString"].split()
        client.put_secret_value(SecretId=name, SecretString=" ".join([secret, *old[:1]]))
    return secret


if __name__ == "__main__":
    sys.exit(main())
