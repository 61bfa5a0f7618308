"""Pictures made smaller in the sandbox: upright, without metadata, and nothing that is broken or too large."""

from __future__ import annotations

import io
import zlib
from collections.abc import AsyncGenerator

import pytest
from PIL import Image

from rxchat.adapters.parsing import SandboxedParser
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers.picture import LONGEST_SIDE

pytestmark = pytest.mark.anyio


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    target = io.BytesIO()
    picture.save(target, kind, **options)
    return target.getvalue()


async def pieces(data: bytes) -> AsyncGenerator[bytes]:
    for start in range(0, len(data), 50_000):
        yield data[start : start + 50_000]


def red(picture: Image.Image, x: int, y: int) -> int:
    """How red a pixel is, 0 to 255."""
    return picture.convert("RGB").getchannel("R").crop((x, y, x + 1, y + 1)).tobytes()[0]


async def made(data: bytes) -> tuple[str, Image.Image, bytes]:
    found = await SandboxedParser().picture(pieces(data))
    return found.name, Image.open(io.BytesIO(found.content)), found.content


def photo(width: int = 3_000, height: int = 2_000) -> bytes:
    """A photo whose camera was held upright: its left half is red. It says where it was taken."""
    picture = Image.new("RGB", (width, height), "blue")
    picture.paste("red", (0, 0, width // 2, height))
    exif = Image.Exif()
    exif[0x0112] = 6
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    exif[0x010F] = "A camera of this test"
    return encoded(picture, "JPEG", exif=exif, comment=b"a comment of this test")


async def test_a_photo_is_turned_made_smaller_and_says_no_more_where_it_was_taken() -> None:
    media_type, picture, content = await made(photo())
    assert media_type == "image/jpeg" and picture.format == "JPEG"
    assert picture.size == (round(LONGEST_SIDE * 2 / 3), LONGEST_SIDE)
    # What was on the left is at the top.
    assert red(picture, 500, 100) > 200
    assert not picture.getexif() and "comment" not in picture.info
    assert b"of this test" not in content


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "JPEG"])
async def test_each_format_becomes_one_that_models_take(kind: str) -> None:
    media_type, picture, _ = await made(encoded(Image.new("RGB", (40, 30), "green"), kind))
    assert (media_type, picture.size) == ("image/jpeg", (40, 30))


async def test_what_is_transparent_stays_so_and_of_what_moves_the_first_frame_is_taken() -> None:
    clear = Image.new("RGBA", (2_000, 10), (255, 0, 0, 0))
    media_type, picture, _ = await made(encoded(clear, "PNG"))
    assert (media_type, picture.mode, picture.size) == ("image/png", "RGBA", (LONGEST_SIDE, 8))
    frames = [Image.new("RGB", (20, 20), color) for color in ("red", "blue")]
    _, picture, _ = await made(encoded(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=100))
    assert red(picture, 10, 10) > 200 and not getattr(picture, "is_animated", False)
    _, picture, _ = await made(encoded(Image.new("I;16", (20, 20), 40_000), "PNG"))
    assert picture.size == (20, 20)


def bomb() -> bytes:
    """A PNG of 20,000 x 20,000 pixels in some kilobytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return len(data).to_bytes(4, "big") + name + data + zlib.crc32(name + data).to_bytes(4, "big")

    size = (20_000).to_bytes(4, "big")
    head = size + size + bytes([8, 0, 0, 0, 0])
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(1_000_000)))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "damaged"),
        (b"no picture", "damaged"),
        (photo(400, 300)[:2_000], "damaged"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "damaged"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "damaged"),
        (bomb(), "100 million pixels"),
    ],
    ids=["empty", "text", "cut off", "svg", "postscript", "bomb"],
)
async def test_what_is_no_picture_is_refused_with_a_sentence(data: bytes, words: str) -> None:
    with pytest.raises(DocumentUnreadable) as refused:
        await SandboxedParser().picture(pieces(data))
    assert words in refused.value.message
