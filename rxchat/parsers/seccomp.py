"""A seccomp filter that refuses system calls that a parser never needs: network, processes, and writing.

It lists refused calls (EPERM), not allowed ones: the calls of Python and the C libraries depend on their versions,
and an update of glibc must not break parsers. Recent calls of the kernel (pidfd, io_uring, clone3, openat2, the mount
calls) return ENOSYS, so that libraries fall back to calls whose arguments the filter can check. Threads may be
started, and files read (Landlock limits which).
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct

_PR_SET_SECCOMP = 22
_SECCOMP_MODE_FILTER = 2
# The first number of the range that all architectures share; higher ones are newer than 2019, or of another ABI.
_FIRST_RECENT = 424

_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}
_ABSENT = -1

# Each call with its number on x86_64 and on aarch64.
_REFUSED: dict[str, tuple[int, int]] = {
    # The network, and passing file descriptors to other processes.
    "socket": (41, 198), "socketpair": (53, 199), "bind": (49, 200), "listen": (50, 201), "accept": (43, 202),
    "connect": (42, 203), "sendto": (44, 206), "recvfrom": (45, 207), "setsockopt": (54, 208), "shutdown": (48, 210),
    "sendmsg": (46, 211), "recvmsg": (47, 212), "accept4": (288, 242), "recvmmsg": (299, 243), "sendmmsg": (307, 269),
    # Other processes.
    "execve": (59, 221), "execveat": (322, 281), "fork": (57, _ABSENT), "vfork": (58, _ABSENT), "ptrace": (101, 117),
    "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272), "kill": (62, 129),
    "ioprio_set": (251, 30), "sched_setparam": (142, 118), "sched_setattr": (314, 274),
    "migrate_pages": (256, 238), "move_pages": (279, 239),
    "tkill": (200, 130), "rt_sigqueueinfo": (129, 138), "rt_tgsigqueueinfo": (297, 240), "setpriority": (141, 140),
    "sched_setscheduler": (144, 119), "sched_setaffinity": (203, 122), "setsid": (112, 157), "setpgid": (109, 154),
    # Changing files.
    "creat": (85, _ABSENT), "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265), "unlink": (87, _ABSENT),
    "unlinkat": (263, 35), "rename": (82, _ABSENT), "renameat": (264, 38), "renameat2": (316, 276),
    "link": (86, _ABSENT), "linkat": (265, 37), "symlink": (88, _ABSENT), "symlinkat": (266, 36),
    "mkdir": (83, _ABSENT), "mkdirat": (258, 34), "rmdir": (84, _ABSENT), "mknod": (133, _ABSENT), "mknodat": (259, 33),
    "truncate": (76, 45), "ftruncate": (77, 46), "fallocate": (285, 47), "chmod": (90, _ABSENT), "fchmod": (91, 52),
    "fchmodat": (268, 53), "chown": (92, _ABSENT), "fchown": (93, 55), "lchown": (94, _ABSENT), "fchownat": (260, 54),
    "utime": (132, _ABSENT), "utimes": (235, _ABSENT), "futimesat": (261, _ABSENT), "utimensat": (280, 88),
    "setxattr": (188, 5), "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14),
    "lremovexattr": (198, 15), "fremovexattr": (199, 16), "memfd_create": (319, 279), "splice": (275, 76),
    "tee": (276, 77), "vmsplice": (278, 75), "sendfile": (40, 71), "copy_file_range": (326, 285),
    # Reading and changing the state of the system.
    "mount": (165, 40), "umount2": (166, 39), "pivot_root": (155, 41), "chroot": (161, 51), "unshare": (272, 97),
    "setns": (308, 268), "bpf": (321, 280), "perf_event_open": (298, 241), "userfaultfd": (323, 282),
    "io_setup": (206, 0), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "init_module": (175, 105), "finit_module": (313, 273), "delete_module": (176, 106), "kexec_load": (246, 104),
    "kexec_file_load": (320, 294), "reboot": (169, 142), "swapon": (167, 224), "swapoff": (168, 225), "acct": (163, 89),
    "quotactl": (179, 60), "syslog": (103, 116), "sethostname": (170, 161), "setdomainname": (171, 162),
    "settimeofday": (164, 170), "clock_settime": (227, 112), "adjtimex": (159, 171), "clock_adjtime": (305, 266),
    "iopl": (172, _ABSENT), "ioperm": (173, _ABSENT), "personality": (135, 92), "vhangup": (153, 58),
    "inotify_init": (253, _ABSENT), "inotify_init1": (294, 26), "fanotify_init": (300, 262),
    # Memory and messages shared with other processes.
    "shmget": (29, 194), "shmctl": (31, 195), "shmat": (30, 196), "shmdt": (67, 197), "semget": (64, 190),
    "semop": (65, 193), "semctl": (66, 191), "semtimedop": (220, 192), "msgget": (68, 186), "msgrcv": (70, 188),
    "msgsnd": (69, 189), "msgctl": (71, 187), "mq_open": (240, 180), "mq_unlink": (241, 181),
    "mq_timedsend": (242, 182), "mq_timedreceive": (243, 183), "mq_notify": (244, 184), "mq_getsetattr": (245, 185),
    # Regaining rights.
    "setuid": (105, 146), "setgid": (106, 144), "setreuid": (113, 145), "setregid": (114, 143),
    "setresuid": (117, 147), "setresgid": (119, 149), "setgroups": (116, 159), "setfsuid": (122, 151),
    "setfsgid": (123, 152), "capset": (126, 91), "setrlimit": (160, 164), "prctl": (157, 167), "seccomp": (317, 277),
}  # fmt: skip

# O_WRONLY | O_RDWR | O_CREAT | O_TRUNC | the bit that makes O_TMPFILE: the same on both architectures.
_WRITING = 0o1 | 0o2 | 0o100 | 0o1000 | 0o20000000
_CLONE_THREAD = 0x10000
# A file descriptor can send signals to any process, before Linux 6.12 without a permission check: F_SETOWN,
# F_SETSIG, F_SETOWN_EX, F_SETLEASE, F_NOTIFY, and F_SETFL with O_ASYNC.
_TELLING_COMMANDS = (8, 10, 15, 1024, 1026)
_F_SETFL, _O_ASYNC = 4, 0o20000
# FIOASYNC, FIOSETOWN, SIOCSPGRP do the same; TIOCSTI types into a terminal.
_TELLING_IOCTLS = (0x5452, 0x8901, 0x8902, 0x5412)

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW = 0x7FFF0000
_KILL = 0x80000000
_REFUSE = 0x00050000 | errno.EPERM
_UNKNOWN = 0x00050000 | errno.ENOSYS
_NUMBER_AT, _ARCHITECTURE_AT, _ARGUMENTS_AT = 0, 4, 16

Instruction = tuple[int, int, int, int]


class _Program(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p)]


def is_known_here() -> bool:
    """Whether this machine's architecture is supported."""
    return platform.machine() in _ARCHITECTURES


def program() -> list[Instruction]:
    """Return the filter for this machine as instructions (code, jump if true, jump if false, value)."""
    architecture, column = _ARCHITECTURES[platform.machine()]
    lines: list[Instruction] = [
        (_LOAD, 0, 0, _ARCHITECTURE_AT),
        (_EQUAL, 1, 0, architecture),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER_AT),
        (_AT_LEAST, 0, 1, _FIRST_RECENT),
        (_RETURN, 0, 0, _UNKNOWN),
    ]
    for number, rule in _rules(column):
        lines += [(_EQUAL, 0, len(rule), number), *rule]
    for numbers in _REFUSED.values():
        if numbers[column] != _ABSENT:
            lines += [(_EQUAL, 0, 1, numbers[column]), (_RETURN, 0, 0, _REFUSE)]
    return [*lines, (_RETURN, 0, 0, _ALLOW)]


def _rules(column: int) -> list[tuple[int, list[Instruction]]]:
    """Return the calls that are refused depending on their arguments, each with its instructions."""
    allowed, refused = (_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _REFUSE)
    rules = [
        ((257, 56), [_low(2), (_ANY_BIT, 0, 1, _WRITING), refused, allowed]),  # openat
        ((56, 220), [_low(0), (_ANY_BIT, 0, 1, _CLONE_THREAD), allowed, refused]),  # clone
        # abort() calls tgkill for this process.
        ((234, 131), [_low(0), (_EQUAL, 0, 1, os.getpid()), allowed, refused]),  # tgkill
        # Reading a limit is allowed, setting one is not: the third argument points to the new limit.
        (
            (302, 261),  # prlimit64
            [_low(2), (_ANY_BIT, 2, 0, 0xFFFFFFFF), _high(2), (_ANY_BIT, 0, 1, 0xFFFFFFFF), refused, allowed],
        ),
    ]
    telling = [line for command in _TELLING_COMMANDS for line in ((_EQUAL, 0, 1, command), refused)]
    asynchronous = [(_EQUAL, 0, 3, _F_SETFL), _low(2), (_ANY_BIT, 0, 1, _O_ASYNC), refused, allowed]
    rules.append(((72, 25), [_low(1), *telling, *asynchronous]))  # fcntl
    ioctls = [line for request in _TELLING_IOCTLS for line in ((_EQUAL, 0, 1, request), refused)]
    rules.append(((16, 29), [_low(1), *ioctls, allowed]))  # ioctl
    if column == 0:
        rules.append(((2, _ABSENT), [_low(1), (_ANY_BIT, 0, 1, _WRITING), refused, allowed]))  # open
    return [(numbers[column], rule) for numbers, rule in rules]


def _low(argument: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument)


def _high(argument: int) -> Instruction:
    return (_LOAD, 0, 0, _ARGUMENTS_AT + 8 * argument + 4)


def install(libc: ctypes.CDLL) -> bool:
    """Install the filter for this process; returns whether the kernel accepted it. Requires no_new_privs."""
    if not is_known_here():
        return False
    instructions = program()
    packed = b"".join(
        struct.pack("=HBBI", code, if_true, if_false, value) for code, if_true, if_false, value in instructions
    )
    filter_program = _Program(len(instructions), packed)
    return libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.byref(filter_program), 0, 0) == 0
