"""Envelopes: what is sealed opens in its place, with its key, and nowhere else."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxchat.services.documents.file_encryption import (
    SEALED_OVERHEAD_BYTES,
    DecryptionFailed,
    KeyRing,
    WrappedKey,
    key_id,
    new_file_key,
    open_part,
    seal_part,
)

KEY = new_file_key()
FIRST, SECOND, THIRD = (os.urandom(32) for _ in range(3))
NAMES = st.text(st.characters(codec="utf-8"), max_size=40)


@given(plain=st.binary(max_size=5000), file=NAMES, offset=st.integers(0, 2**64 - 1))
def test_a_part_opens_as_it_was_sealed(plain: bytes, file: str, offset: int) -> None:
    sealed = seal_part(KEY, file, offset, len(plain), plain)
    assert open_part(KEY, file, offset, len(plain), sealed) == plain
    assert len(sealed) == len(plain) + SEALED_OVERHEAD_BYTES


@given(owner=NAMES, file=NAMES, file_key=st.binary(min_size=32, max_size=32))
def test_a_key_unwraps_as_it_was_wrapped(owner: str, file: str, file_key: bytes) -> None:
    keys = KeyRing(FIRST)
    assert keys.unwrap(keys.wrap(file_key, owner, file), owner, file) == file_key


@given(one=st.tuples(NAMES, NAMES), other=st.tuples(NAMES, NAMES))
def test_a_key_unwraps_for_no_other_owner_and_file(one: tuple[str, str], other: tuple[str, str]) -> None:
    keys = KeyRing(FIRST)
    wrapped = keys.wrap(KEY, *one)
    if one != other:
        with pytest.raises(DecryptionFailed):
            keys.unwrap(wrapped, *other)


def test_the_same_part_is_never_sealed_the_same() -> None:
    assert seal_part(KEY, "f", 0, 3, b"abc") != seal_part(KEY, "f", 0, 3, b"abc")
    assert new_file_key() != new_file_key()
    assert len(new_file_key()) == 32


def test_no_bit_of_a_sealed_part_can_be_flipped() -> None:
    sealed = seal_part(KEY, "f", 0, 5, b"small")
    for place, bit in ((place, bit) for place in range(len(sealed)) for bit in range(8)):
        with pytest.raises(DecryptionFailed):
            open_part(KEY, "f", 0, 5, flipped(sealed, place, bit))


def test_no_bit_of_a_wrapped_key_can_be_flipped() -> None:
    keys = KeyRing(FIRST)
    wrapped = keys.wrap(KEY, "o", "f")
    for place, bit in ((place, bit) for place in range(len(wrapped.sealed)) for bit in range(8)):
        with pytest.raises(DecryptionFailed):
            keys.unwrap(WrappedKey(wrapped.key_id, flipped(wrapped.sealed, place, bit)), "o", "f")


def test_no_part_can_be_cut_or_made_longer() -> None:
    sealed = seal_part(KEY, "f", 0, 5, b"small")
    for changed in [sealed[:end] for end in range(len(sealed))] + [sealed + b"\0", b"\1" + sealed, sealed * 2]:
        for size in (5, max(0, len(changed) - SEALED_OVERHEAD_BYTES)):
            with pytest.raises(DecryptionFailed):
                open_part(KEY, "f", 0, size, changed)


def test_no_wrapped_key_can_be_cut() -> None:
    keys = KeyRing(FIRST)
    wrapped = keys.wrap(KEY, "o", "f")
    for end in range(len(wrapped.sealed)):
        with pytest.raises(DecryptionFailed):
            keys.unwrap(WrappedKey(wrapped.key_id, wrapped.sealed[:end]), "o", "f")


@pytest.mark.parametrize(
    ("file_key", "file", "offset", "size"),
    [(KEY, "f", 8, 4), (KEY, "f", 0, 3), (KEY, "f", 0, 5), (KEY, "g", 0, 4), (KEY, "", 0, 4), (FIRST, "f", 0, 4)],
    ids=["offset", "shorter", "longer", "another file", "no file", "another key"],
)
def test_a_part_opens_in_its_place_alone(file_key: bytes, file: str, offset: int, size: int) -> None:
    with pytest.raises(DecryptionFailed):
        open_part(file_key, file, offset, size, seal_part(KEY, "f", 0, 4, b"part"))


def test_swapped_parts_are_refused() -> None:
    first, second = seal_part(KEY, "f", 0, 4, b"1111"), seal_part(KEY, "f", 4, 4, b"2222")
    with pytest.raises(DecryptionFailed):
        open_part(KEY, "f", 0, 4, second)
    with pytest.raises(DecryptionFailed):
        open_part(KEY, "f", 4, 4, first)


def test_a_part_has_the_size_that_it_says() -> None:
    with pytest.raises(ValueError):
        seal_part(KEY, "f", 0, 5, b"part")


def test_names_that_read_the_same_in_a_row_are_not_the_same() -> None:
    keys = KeyRing(FIRST)
    with pytest.raises(DecryptionFailed):
        keys.unwrap(keys.wrap(KEY, "ab", "c"), "a", "bc")


def test_a_wrapped_key_is_no_part() -> None:
    wrapped = KeyRing(FIRST).wrap(KEY, "", "f")
    with pytest.raises(DecryptionFailed):
        open_part(FIRST, "f", 0, len(KEY), b"\1" + wrapped.sealed)


def test_after_a_rotation_old_keys_unwrap_until_the_previous_one_is_dropped() -> None:
    wrapped = KeyRing(FIRST).wrap(KEY, "o", "f")
    rotated = KeyRing(SECOND, [FIRST])
    assert rotated.unwrap(wrapped, "o", "f") == KEY
    moved = rotated.rewrap(wrapped, "o", "f")
    assert (wrapped.key_id, moved.key_id) == (key_id(FIRST), key_id(SECOND)) == (key_id(FIRST), rotated.key_id)
    assert rotated.rewrap(moved, "o", "f") is moved
    later = KeyRing(THIRD, [SECOND])
    assert later.unwrap(moved, "o", "f") == KEY
    with pytest.raises(DecryptionFailed):
        later.unwrap(wrapped, "o", "f")
    with pytest.raises(DecryptionFailed):
        later.rewrap(wrapped, "o", "f")


def test_a_key_with_the_wrong_name_is_not_tried() -> None:
    keys = KeyRing(FIRST, [SECOND])
    wrapped = keys.wrap(KEY, "o", "f")
    with pytest.raises(DecryptionFailed):
        keys.unwrap(WrappedKey(key_id(SECOND), wrapped.sealed), "o", "f")
    with pytest.raises(DecryptionFailed):
        keys.unwrap(WrappedKey("00000000", wrapped.sealed), "o", "f")


def test_a_master_key_has_32_bytes() -> None:
    with pytest.raises(ValueError):
        KeyRing(b"short")
    with pytest.raises(ValueError):
        KeyRing(FIRST, [b"k" * 16])


def test_master_keys_do_not_show_themselves() -> None:
    keys = KeyRing(b"K" * 32, [b"L" * 32])
    assert "KKKK" not in repr(keys) and "LLLL" not in repr(keys)
    assert keys.key_id == key_id(b"K" * 32) and len(keys.key_id) == 8


def flipped(data: bytes, place: int, bit: int) -> bytes:
    """The same with one bit of it turned over."""
    return data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
