"""Landlock: restricts a process to reading some paths of the file system.

The calls have the same numbers on every architecture. A kernel without Landlock (before 5.13) refuses the first one.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable
from pathlib import Path

_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_ASK_VERSION = 1
_RULE_PATH_BENEATH = 1
_READ_FILE, _READ_FOLDER = 1 << 2, 1 << 3
# The number of file access rights in each version of Landlock; later versions have at least those of the last.
_FILE_ACCESSES = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
_NETWORK_SINCE, _SCOPES_SINCE = 4, 6
_BIND_AND_CONNECT = 0b11
_SOCKETS_AND_SIGNALS = 0b11


def restrict(libc: ctypes.CDLL, readable: Iterable[Path]) -> int:
    """Restrict this process to reading below these paths; returns Landlock's version, 0 if it is not supported.

    Requires no_new_privs. Version 4 and later also refuse TCP, version 6 and later signals to other processes.
    """
    version = libc.syscall(_CREATE_RULESET, None, 0, _ASK_VERSION)
    if version < 1:
        return 0
    accesses = (1 << _FILE_ACCESSES.get(version, _FILE_ACCESSES[max(_FILE_ACCESSES)])) - 1
    attributes = struct.pack("=Q", accesses)
    if version >= _NETWORK_SINCE:
        attributes += struct.pack("=Q", _BIND_AND_CONNECT)
    if version >= _SCOPES_SINCE:
        attributes += struct.pack("=Q", _SOCKETS_AND_SIGNALS)
    rules = libc.syscall(_CREATE_RULESET, attributes, ctypes.c_size_t(len(attributes)), 0)
    if rules < 0:
        return 0
    try:
        for path in readable:
            _allow(libc, rules, path)
        return version if libc.syscall(_RESTRICT_SELF, rules, 0) == 0 else 0
    finally:
        os.close(rules)


def _allow(libc: ctypes.CDLL, rules: int, path: Path) -> None:
    """Allow reading below a path; ignores missing paths."""
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    access = _READ_FILE | (_READ_FOLDER if path.is_dir() else 0)
    rule = struct.pack("=Qi", access, descriptor)
    libc.syscall(_ADD_RULE, rules, _RULE_PATH_BENEATH, rule, 0)
    os.close(descriptor)
