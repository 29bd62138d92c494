"""Landlock: the kernel takes a process's rights to files, network and signals away from it.

The numbers are those of the kernel's documentation, userspace-api/landlock.
"""

from __future__ import annotations

import ctypes
import os
import struct

_CREATE_RULESET, _RESTRICT_SELF = 444, 446  # the same on every architecture
_ASK_FOR_VERSION = 1
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
_FILE_RIGHTS_NOW = 16
_NETWORK_SINCE, _SCOPES_SINCE = 4, 6
_BIND_AND_CONNECT, _ABSTRACT_SOCKETS_AND_SIGNALS = 0b11, 0b11


def landlock_version() -> int:
    """The version of Landlock in this kernel; 0 if there is none."""
    return max(0, _call(_CREATE_RULESET, None, 0, _ASK_FOR_VERSION))


def give_up_all_rights(version: int) -> None:
    """Leave this process no right to open anything.

    It must have given up to gain privileges (``PR_SET_NO_NEW_PRIVS``).

    Raises
    ------
    OSError
        If the kernel refuses.
    """
    rules = _ruleset(version)
    descriptor = _checked(_call(_CREATE_RULESET, rules, len(rules), 0))
    try:
        _checked(_call(_RESTRICT_SELF, descriptor, 0))
    finally:
        os.close(descriptor)


def _ruleset(version: int) -> bytes:
    """All rights that this version knows are governed, and none of them is granted."""
    rules = struct.pack("<Q", (1 << _FILE_RIGHTS.get(version, _FILE_RIGHTS_NOW)) - 1)
    if version >= _NETWORK_SINCE:
        rules += struct.pack("<Q", _BIND_AND_CONNECT)
    if version >= _SCOPES_SINCE:
        rules += struct.pack("<Q", _ABSTRACT_SOCKETS_AND_SIGNALS)
    return rules


def _call(number: int, first: bytes | int | None, *others: int) -> int:
    system_call = ctypes.CDLL(None, use_errno=True).syscall
    system_call.restype = ctypes.c_long
    arguments = [ctypes.c_long(other) for other in others]
    start = first if isinstance(first, bytes) else ctypes.c_long(first or 0)
    return int(system_call(ctypes.c_long(number), start, *arguments))


def _checked(result: int) -> int:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result
