"""Python's own hook at a process's start: its wall clock is wrong by what a file says, and jumps when that changes."""

import os
import struct
import time

_path = os.environ.get("FAULTS_CLOCK", "")
if _path:
    _real, _real_ns = time.time, time.time_ns

    def _shift() -> float:
        with open(_path, "rb") as file:  # noqa: PTH123 - pathlib would be imported before anything else is
            return struct.unpack("d", file.read(8))[0]

    def _wrong() -> float:
        return _real() + _shift()

    def _wrong_ns() -> int:
        return _real_ns() + int(_shift() * 1e9)

    time.time, time.time_ns = _wrong, _wrong_ns
