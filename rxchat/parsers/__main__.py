"""A sandboxed child process that parses one document from standard input and writes the result to standard output.

Started by rxchat/adapters/parsing.py as: python -m rxchat.parsers KIND SUFFIX PARENT_PID CPU_SECONDS MEMORY_BYTES ENCODING.
ENCODING is the one that the user has chosen, or empty.
The document's name is no argument, since other users of the machine can list arguments of processes.
"""

from __future__ import annotations

import functools
import importlib
import os
import sys
from collections.abc import Callable

from rxchat.domain.documents import AttachedFile, ParsedDocument
from rxchat.domain.errors import DocumentUnreadable, NoTextLayer
from rxchat.parsers import limits, protocol, sandbox
from rxchat.parsers.formats import FormatKind

_OUTPUT = 1
TOO_MUCH_MEMORY = "Parsing this file needs more memory than RxChat allows. Split it and try again."
_TOO_DEEP = "This file is nested too deeply. Save it as a PDF and try again."
_DAMAGED = "This file is damaged, or its name has the wrong ending. Open it, save it again and upload the new file."
_TOO_LARGE = f"This file is larger than {limits.FILE_BYTES // 1_000_000} MB: split it and try again."

Parse = Callable[..., ParsedDocument | list[AttachedFile]]


def main(arguments: list[str]) -> int:
    """Parse the document of this process, and write the result or the reason of a failure."""
    kind, suffix, parent_pid, cpu_seconds, memory_bytes, encoding = arguments
    sandbox.begin(int(parent_pid), sandbox.Limits(int(cpu_seconds), int(memory_bytes)))
    if kind != FormatKind.SCAN:
        # openpyxl imports numpy if it is installed, and never needs it here.
        sys.modules["numpy"] = None  # type: ignore[assignment]
    parse: Parse = importlib.import_module(f"rxchat.parsers.{FormatKind(kind).value}").parse
    if encoding:
        importlib.import_module("rxchat.parsers.encodings").chosen.set(encoding)
    sandbox.seal()
    _write(_answer(parse, suffix, is_scan=kind == FormatKind.SCAN))
    return 0


def _answer(parse: Parse, suffix: str, *, is_scan: bool) -> bytes:
    """Return the encoded document, or the encoded reason of a failure."""
    try:
        if is_scan:
            # Pages that are recognized already come first.
            parse = functools.partial(parse, known=protocol.read_pages(sys.stdin.buffer))
        content = sys.stdin.buffer.read(limits.FILE_BYTES + 1)
        if len(content) > limits.FILE_BYTES:
            return protocol.encode_error(_TOO_LARGE)
        found = parse(content, suffix)
        return protocol.encode_files(found) if isinstance(found, list) else protocol.encode(found, sandbox.barriers())
    except NoTextLayer as scan:
        return protocol.encode_error(scan.message, is_scan=True)
    except DocumentUnreadable as unreadable:
        return protocol.encode_error(unreadable.message)
    except MemoryError:
        return protocol.encode_error(TOO_MUCH_MEMORY)
    except RecursionError:
        return protocol.encode_error(_TOO_DEEP)
    except Exception:  # noqa: BLE001 - the edge of this process: parsers fail on damaged files in a hundred ways.
        return protocol.encode_error(_DAMAGED)


def _write(answer: bytes) -> None:
    left = memoryview(answer)
    while left:
        left = left[os.write(_OUTPUT, left) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
