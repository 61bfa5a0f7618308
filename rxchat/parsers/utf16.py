"""Detects UTF-16 and UTF-32 without a byte order mark by the positions of zeros."""

from __future__ import annotations

import re

_FEWEST_ZEROS = 0.02
_EVEN_OUT = 20
_STRANGE = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f-\x9f\ue000-\uf8ff\ufffd\ufffe\uffff\ud800-\udfff]")
_MOST_STRANGE = 0.01
# ASCII, and scripts whose texts have hardly any zeros: from Greek to Thai, and East Asian ones.
_USUAL = re.compile("[\t\n\r -~\u0370-\u0e7f\u2010-\u2027\u3000-\u30ff\u4e00-\u9fff\uac00-\ud7a3\uff00-\uffef]")
_FEWEST_USUAL = 0.95
_CONTROLS = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_SAMPLE_BYTES = 1 << 20


def encoding_without_mark(content: bytes) -> str:
    """Return "utf-16le", "utf-16be", "utf-32le" or "utf-32be" if bytes can be nothing else, otherwise ""."""
    sample = content[: _SAMPLE_BYTES - _SAMPLE_BYTES % 4]
    # Texts in other encodings have no control characters; every text in these has some.
    if len(sample) < 4 or _CONTROLS.search(sample) is None:
        return ""
    zeros = [sample[offset::4].count(0) for offset in range(4)]
    quarter = len(sample) // 4
    if len(content) % 4 == 0:
        if zeros[3] == quarter and zeros[2] > 0.9 * quarter and _reads(sample, "utf-32-le"):
            return "utf-32le"
        if zeros[0] == quarter and zeros[1] > 0.9 * quarter and _reads(sample, "utf-32-be"):
            return "utf-32be"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    if len(content) % 2 or min(even, odd) * _EVEN_OUT > max(even, odd):
        return ""
    if max(even, odd) < _FEWEST_ZEROS * len(sample) // 2 and len(_CONTROLS.findall(sample)) < 0.05 * len(sample):
        return ""
    # If zeros decide nothing (East Asian texts without spaces), choose the one without unusual characters.
    order = ("utf-16-be", "utf-16-le") if even > odd else ("utf-16-le", "utf-16-be")
    return next((name.replace("16-", "16") for name in order if _reads(sample, name)), "")


def _reads(sample: bytes, codec: str) -> bool:
    """Whether bytes are a text in an encoding with hardly any unusual characters."""
    try:
        text = sample.decode(codec, "strict" if len(sample) < _SAMPLE_BYTES else "replace")
    except UnicodeDecodeError:
        return False
    if len(_STRANGE.findall(text)) > _MOST_STRANGE * len(text) + (1 if len(text) > 10 else 0):
        return False
    return text.count("\n") + text.count(" ") > _FEWEST_ZEROS * len(text) or len(
        _USUAL.findall(text)
    ) >= _FEWEST_USUAL * len(text)
