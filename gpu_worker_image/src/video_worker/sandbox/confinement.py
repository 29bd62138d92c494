"""What a decoder gives up before it looks at a file."""

from __future__ import annotations

import ctypes
import os
import resource
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from video_worker.sandbox.landlock import give_up_all_rights, landlock_version
from video_worker.sandbox.system_calls import DecoderFilter

SECCOMP, LANDLOCK, PARENT_DEATH = "seccomp (libseccomp)", "Landlock", "the end with the parent (prctl)"
FEATURES = (SECCOMP, LANDLOCK, PARENT_DEATH)
"""What a host may lack, by name."""

_IS_LINUX = sys.platform == "linux"
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38
_SIGKILL = 9
_MIB = 1 << 20
_STACK_MIB, _ARENA_MIB = 8, 64
_THREADS_PER_CORE, _ARENAS_PER_CORE = 4, 8
_SPARE_MIB = 1024
_MOST_FILES = 16


@dataclass(frozen=True)
class Confinement:
    """What this host offers to confine a decoder with."""

    filter: DecoderFilter | None
    landlock: int

    @classmethod
    def of_this_host(cls) -> Confinement:
        """Look at what there is."""
        if not _IS_LINUX:
            return cls(None, 0)
        try:
            return cls(DecoderFilter(), landlock_version())
        except (ImportError, RuntimeError):
            return cls(None, landlock_version())

    @property
    def missing(self) -> tuple[str, ...]:
        """The names of what there is not."""
        has = {SECCOMP: self.filter is not None, LANDLOCK: self.landlock > 0, PARENT_DEATH: _IS_LINUX}
        return tuple(name for name in FEATURES if not has[name])

    def give_up_rights(self) -> None:
        """Give up for ever all rights that a decoder does not need; only descriptors that are open remain.

        Raises
        ------
        OSError
            If the kernel refuses.
        """
        if _IS_LINUX:
            _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        if self.landlock:
            give_up_all_rights(self.landlock)
        if self.filter is not None:
            self.filter.load()


def die_with_parent(parent_pid: int) -> None:
    """Be killed when the parent ends."""
    if _IS_LINUX:
        _prctl(_PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != parent_pid:  # it ended before the call above
        os._exit(1)


def be_the_first_to_go() -> None:
    """If the machine runs out of memory, this process is killed before any other one."""
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000")


def limit_resources(memory_mib: int, cpu_s: int, shared_bytes: int) -> None:
    """Limit what this process may use from now on.

    The analysing process watches the memory as well, with the exact limit. Stacks of threads and arenas of
    malloc, which are reserved but hardly used, do not count.
    ``RLIMIT_NPROC`` is no use: it counts every thread of the user, those of other processes included.
    """
    cores = os.cpu_count() or 1
    address_space, data = _in_use()
    data += (memory_mib + _SPARE_MIB + cores * _THREADS_PER_CORE * _STACK_MIB) * _MIB
    _limit(resource.RLIMIT_DATA, data)
    _limit(
        resource.RLIMIT_AS,
        address_space + data + shared_bytes + cores * _ARENAS_PER_CORE * _ARENA_MIB * _MIB,
    )
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 1))  # SIGXCPU, then SIGKILL
    for none in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
        _limit(none, 0)
    _limit(resource.RLIMIT_NOFILE, _MOST_FILES)


def _limit(what: int, most: int) -> None:
    resource.setrlimit(what, (most, most))


def _in_use() -> tuple[int, int]:
    """Address space and private writable memory in use, in bytes; 0 where the host does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0, 0
    kib = {name: value for name, _, value in (line.partition(":") for line in lines)}
    return tuple(int(kib[name].split()[0]) * 1024 for name in ("VmSize", "VmData"))  # type: ignore[return-value]


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) != 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
