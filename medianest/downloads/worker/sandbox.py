"""Walls around a computation that needs nothing of the system: no files, no network, no other programs.

On Linux the kernel then knows the calls of the list below only and answers all others with "not permitted"; where it has
no such filter (another system, another processor), the limits alone hold.
"""

from __future__ import annotations

import ctypes
import platform
import struct
import sys

_PR_SET_NO_NEW_PRIVS = 38
_PR_SET_SECCOMP = 22
_MODE_FILTER = 2
_ALLOW, _REFUSE = 0x7FFF0000, 0x00050000 | 1  # the second: EPERM
_LOAD, _IS_EQUAL, _RETURN = 0x20, 0x15, 0x06  # of the filter's own machine
_NUMBER_AT, _PROCESSOR_AT = 0, 4  # in what it is given

# what memory, clocks and open pipes need; by processor, its name for the filter first
_CALLS = {
    "x86_64": (
        0xC000003E,
        {
            "read": 0, "write": 1, "close": 3, "fstat": 5, "lseek": 8, "mmap": 9, "mprotect": 10, "munmap": 11,
            "brk": 12, "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "ioctl": 16, "writev": 20,
            "sched_yield": 24, "mremap": 25, "madvise": 28, "nanosleep": 35, "getpid": 39, "exit": 60, "gettimeofday": 96,
            "getrusage": 98, "times": 100, "sigaltstack": 131, "gettid": 186, "time": 201, "futex": 202,
            "restart_syscall": 219, "clock_gettime": 228, "clock_nanosleep": 230, "exit_group": 231,
            "set_robust_list": 273, "getrandom": 318, "rseq": 334,
        },
    ),
    "aarch64": (
        0xC00000B7,
        {
            "ioctl": 29, "close": 57, "lseek": 62, "read": 63, "write": 64, "writev": 66, "fstat": 80, "exit": 93,
            "exit_group": 94, "futex": 98, "set_robust_list": 99, "nanosleep": 101, "clock_gettime": 113,
            "clock_nanosleep": 115, "sched_yield": 124, "restart_syscall": 128, "sigaltstack": 132, "rt_sigaction": 134,
            "rt_sigprocmask": 135, "rt_sigreturn": 139, "times": 153, "getrusage": 165, "gettimeofday": 169,
            "getpid": 172, "gettid": 178, "brk": 214, "munmap": 215, "mremap": 216, "mmap": 222, "mprotect": 226,
            "madvise": 233, "getrandom": 278, "rseq": 293,
        },
    ),
}  # fmt: skip


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("steps", ctypes.c_void_p))


def limit(*, memory_bytes: int, time_s: int) -> None:
    """For this process: addresses, seconds of the processor, no bytes written to any file, no core files."""
    try:
        import resource
    except ImportError:
        return
    for kind, wanted in (
        (resource.RLIMIT_AS, memory_bytes),
        (resource.RLIMIT_CPU, time_s),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        _, most = resource.getrlimit(kind)
        lowest = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
        resource.setrlimit(kind, (lowest, lowest))


def close_off() -> bool:
    """From here on this thread, and whatever it starts, may only compute; tells whether the kernel agreed."""
    if not sys.platform.startswith("linux") or platform.machine() not in _CALLS:
        return False
    name, calls = _CALLS[platform.machine()]
    steps = _filter(name, sorted(calls.values()))
    memory = ctypes.create_string_buffer(steps, len(steps))
    program = _Program(len(steps) // 8, ctypes.cast(memory, ctypes.c_void_p))
    try:
        prctl = ctypes.CDLL(None, use_errno=True).prctl
    except (OSError, AttributeError):
        return False
    if prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        return False
    return bool(prctl(_PR_SET_SECCOMP, _MODE_FILTER, ctypes.byref(program), 0, 0) == 0)


def _filter(processor: int, calls: list[int]) -> bytes:
    """The filter: another processor's calls are refused, the named ones pass, all others are refused."""
    steps = [
        (_LOAD, 0, 0, _PROCESSOR_AT),
        (_IS_EQUAL, 0, len(calls) + 1, processor),
        (_LOAD, 0, 0, _NUMBER_AT),
        *((_IS_EQUAL, len(calls) - place, 0, number) for place, number in enumerate(calls)),
        (_RETURN, 0, 0, _REFUSE),
        (_RETURN, 0, 0, _ALLOW),
    ]
    return b"".join(struct.pack("=HBBI", *step) for step in steps)
