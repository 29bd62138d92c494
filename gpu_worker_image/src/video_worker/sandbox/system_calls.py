"""The system calls that a decoder may make, as a seccomp filter."""

from __future__ import annotations

import errno
import fcntl
import mmap
from typing import Any

ALLOWED = (
    *("read", "pread64", "readv", "preadv", "lseek", "_llseek", "fstat", "close"),
    *("recvfrom", "sendto", "poll", "ppoll", "select", "pselect6"),
    *("brk", "munmap", "mremap", "madvise", "mincore", "futex", "sched_yield", "sched_getaffinity"),
    *("rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "restart_syscall"),
    *("clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "getrusage"),
    *("getpid", "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "uname", "sysinfo"),
    *("getrandom", "set_robust_list", "rseq", "set_tid_address", "exit", "exit_group"),
)
"""Without conditions."""

DEADLY = (
    *("socket", "socketpair", "connect", "bind", "listen", "accept", "accept4", "sendmsg", "recvmsg"),
    *("execve", "execveat", "fork", "vfork", "kill", "tkill", "ptrace"),
    *("process_vm_readv", "process_vm_writev", "pidfd_open", "pidfd_getfd", "pidfd_send_signal"),
    *("memfd_create", "shmget", "shmat", "io_uring_setup", "bpf", "userfaultfd", "perf_event_open"),
    *("mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "keyctl", "add_key", "request_key"),
    *("init_module", "finit_module", "kexec_load", "reboot", "setuid", "setgid", "setresuid", "setresgid"),
)
"""No innocent library makes these: the decoder is ended at the first one. All others fail with EPERM."""

_PR_SET_NAME = 15
_MAP_SHARED = 1
_THREAD_FLAGS = 0x100 | 0x800 | 0x10000  # CLONE_VM, CLONE_SIGHAND, CLONE_THREAD
_NAMESPACE_FLAGS = 0x7E020080  # CLONE_NEW*, CLONE_NEWTIME included
_FCNTL = (fcntl.F_GETFD, fcntl.F_SETFD, fcntl.F_GETFL)


class DecoderFilter:
    """The filter, made once; every decoder loads its own copy.

    Raises
    ------
    RuntimeError, ImportError
        If this host has no libseccomp.
    """

    def __init__(self) -> None:
        import pyseccomp  # type: ignore[import-untyped]  # it raises RuntimeError without the library

        self._seccomp = pyseccomp
        self._filter = pyseccomp.SyscallFilter(pyseccomp.ERRNO(errno.EPERM))
        for name in ALLOWED:
            self._add(pyseccomp.ALLOW, name)
        for name in DEADLY:
            self._add(pyseccomp.KILL_PROCESS, name)
        self._add_conditions()

    def load(self) -> None:
        """Confine this process, all threads of it, for ever."""
        self._filter.load()

    def _add_conditions(self) -> None:
        seccomp = self._seccomp
        none_of, equals = self._none_of, seccomp.EQ
        # glibc makes threads by clone where clone3, whose flags a filter cannot see, is not there
        self._add(seccomp.ERRNO(errno.ENOSYS), "clone3")
        flags = _THREAD_FLAGS | _NAMESPACE_FLAGS
        self._add(seccomp.ALLOW, "clone", seccomp.Arg(0, seccomp.MASKED_EQ, flags, _THREAD_FLAGS))
        # memory is never executable, and never shared: shared memory is not counted by RLIMIT_DATA
        for name in ("mmap", "mmap2"):
            self._add(seccomp.ALLOW, name, none_of(2, mmap.PROT_EXEC), none_of(3, _MAP_SHARED))
        self._add(seccomp.ALLOW, "mprotect", none_of(2, mmap.PROT_EXEC))
        self._add(seccomp.ALLOW, "prctl", seccomp.Arg(0, equals, _PR_SET_NAME))
        for name in ("fcntl", "fcntl64"):
            for command in _FCNTL:
                self._add(seccomp.ALLOW, name, seccomp.Arg(1, equals, command))

    def _none_of(self, argument: int, bits: int) -> Any:
        return self._seccomp.Arg(argument, self._seccomp.MASKED_EQ, bits, 0)

    def _add(self, action: int, name: str, *conditions: Any) -> None:
        """Add a rule; libseccomp leaves it out on an architecture that lacks the call."""
        self._filter.add_rule(action, name, *conditions)
