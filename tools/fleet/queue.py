"""The jobs queue: the first message goes to the worker that has waited for longest."""

from __future__ import annotations

from collections import deque

import simpy

from tools.fleet.jobs import Help, Job

Message = Job | Help


class Queue:
    """Messages that wait, or workers that do. Each message has a group of its own."""

    def __init__(self, env: simpy.Environment) -> None:
        self._env = env
        self.messages: deque[Message] = deque()
        self._idle: deque[simpy.Event] = deque()

    @property
    def has_idle(self) -> bool:
        """Whether a worker waits for a message."""
        return bool(self._idle)

    def put(self, message: Message) -> None:
        """Send a message."""
        if self._idle:
            self._idle.popleft().succeed(message)
        else:
            self.messages.append(message)

    def put_back(self, message: Message) -> None:
        """Return a message; it is the oldest one."""
        if self._idle:
            self._idle.popleft().succeed(message)
        else:
            self.messages.appendleft(message)

    def get(self) -> simpy.Event:
        """An event that brings the next message; or None if `leave` is called before."""
        event = self._env.event()
        if self.messages:
            event.succeed(self.messages.popleft())
        else:
            self._idle.append(event)
        return event

    def leave(self, event: simpy.Event) -> None:
        """Stop waiting; a message that was already given comes back."""
        if not event.triggered:
            self._idle.remove(event)
        elif event.value is not None:
            self.put_back(event.value)

    def oldest_s(self) -> float | None:
        """When the first of the waiting jobs arrived."""
        return next((one.arrives_s for one in self.messages if isinstance(one, Job)), None)
