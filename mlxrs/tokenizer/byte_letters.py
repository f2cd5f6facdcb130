"""The 256 letters in which byte-level BPE spells bytes."""

from __future__ import annotations

from functools import cache


@cache
def byte_of_letter() -> dict[str, int]:
    """Returns the byte that each of GPT-2's 256 letters stands for.

    Printable bytes of Latin-1 stand for themselves; the others, in order, are U+0100 and up.
    Source: `bytes_to_unicode` of https://github.com/openai/gpt-2.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    others = (byte for byte in range(256) if byte not in printable)
    table = {chr(byte): byte for byte in printable}
    return table | {chr(0x100 + index): byte for index, byte in enumerate(others)}


@cache
def _to_letters() -> dict[int, str]:
    return {byte: letter for letter, byte in byte_of_letter().items()}


def spelled(data: bytes) -> str:
    """Returns `data` in byte letters, one a byte."""
    # Latin-1 maps bytes to the code points of the same numbers, which `translate` then replaces.
    return data.decode("latin-1").translate(_to_letters())
