"""Pictures for models and for the page: turned upright, smaller, and without metadata such as the place where they were taken."""

from __future__ import annotations

import io
import warnings

from PIL import Image, ImageOps, UnidentifiedImageError

from rxchat.domain.documents import AttachedFile
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers import limits

LONGEST_SIDE = 1568
"""Pixels: vision models reduce larger pictures to about this size themselves."""
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
_QUALITY = 85
_DAMAGED = "This picture is damaged. Open it, save it again and upload the new file."
_TOO_LARGE = f"This picture has more than {limits.PICTURE_PIXELS // 1_000_000} million pixels: save a smaller version."

warnings.simplefilter("error", Image.DecompressionBombWarning)
Image.MAX_IMAGE_PIXELS = limits.PICTURE_PIXELS
# The modules of the formats are imported now, before the process gives up its rights.
Image.init()


def parse(content: bytes, suffix: str) -> list[AttachedFile]:
    """Return the first frame of a picture, with its media type as the name.

    Raises:
        DocumentUnreadable: when it is damaged or too large.
    """
    del suffix
    try:
        with Image.open(io.BytesIO(content), formats=_FORMATS) as opened:
            if opened.width * opened.height > limits.PICTURE_PIXELS:
                raise DocumentUnreadable(_TOO_LARGE)
            # Cheap for JPEG: the decoder leaves out what is not needed.
            opened.draft("RGB", (2 * LONGEST_SIDE, 2 * LONGEST_SIDE))
            picture = ImageOps.exif_transpose(opened)
            picture = picture.convert("RGBA" if _is_transparent(picture) else "RGB")
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise DocumentUnreadable(_TOO_LARGE) from error
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError, EOFError) as error:
        raise DocumentUnreadable(_DAMAGED) from error
    picture.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.LANCZOS)
    return [_encoded(picture)]


def _is_transparent(picture: Image.Image) -> bool:
    if picture.mode == "P":
        return "transparency" in picture.info
    return (
        picture.mode in {"RGBA", "LA", "PA"}
        and picture.getchannel("A").histogram()[255] < picture.width * picture.height
    )


def _encoded(picture: Image.Image) -> AttachedFile:
    # A new picture has no metadata, whatever its source had.
    bare, target = Image.frombytes(picture.mode, picture.size, picture.tobytes()), io.BytesIO()
    if picture.mode == "RGBA":
        bare.save(target, "PNG")
        return AttachedFile("image/png", target.getvalue())
    bare.save(target, "JPEG", quality=_QUALITY)
    return AttachedFile("image/jpeg", target.getvalue())
