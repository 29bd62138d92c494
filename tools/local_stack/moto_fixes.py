"""Make moto's queues safe in threads.

moto 5.2.5 walks and rewrites a queue's list of messages without a lock: a message sent while another is
deleted can be lost, and two consumers that receive at the same time can get the same one.
"""

from __future__ import annotations

import threading
import time
from functools import wraps
from typing import Any

from moto.sqs.models import Queue, SQSBackend

_LOCK = threading.RLock()
_PAUSE_S = 0.05
_MARK = "_is_thread_safe"


def make_moto_queues_thread_safe() -> None:
    """Put one lock around sending, receiving and deleting; doing it twice changes nothing."""
    if getattr(SQSBackend, _MARK, False):
        return
    wrapped = (
        (Queue, "add_message", _locked),
        (Queue, "delete_message", _locked),
        (SQSBackend, "receive_message", _receiving_in_turns),
    )
    for owner, name, wrap in wrapped:
        setattr(owner, name, wrap(getattr(owner, name)))
    setattr(SQSBackend, _MARK, True)


def _locked(method: Any) -> Any:
    @wraps(method)
    def locked(*arguments: Any, **named: Any) -> Any:
        with _LOCK:
            return method(*arguments, **named)

    return locked


def _receiving_in_turns(receive: Any) -> Any:
    """Long polling as many short polls, so that a waiting consumer holds no lock."""

    @wraps(receive)
    def receive_message(
        self: Any, queue_name: str, count: int, wait_seconds_timeout: int, *rest: Any, **named: Any
    ) -> Any:
        ends_at = time.monotonic() + (wait_seconds_timeout or 0)
        while True:
            with _LOCK:
                messages = receive(self, queue_name, count, 0, *rest, **named)
            if messages or time.monotonic() >= ends_at:
                return messages
            time.sleep(_PAUSE_S)

    return receive_message
