"""The compiled character maps of SentencePiece, checked before a library walks through them.

A map is a length in 4 bytes, a double array of that many bytes, and the texts that it points to,
each ended by a zero byte. A unit of the double array holds a label and an offset to its children.
Source: https://github.com/s-yata/darts-clone.
"""

from __future__ import annotations

import base64
import binascii

from ..errors import FormatError

MAX_BYTES = 16_000_000


def check_charsmap(data: bytes) -> None:
    """Checks that no step in the double array leads out of it.

    Raises:
        FormatError: the map is cut off, too large, or points outside of itself.
    """
    import numpy as np

    size = int.from_bytes(data[:4], "little")
    if len(data) > MAX_BYTES or size % 4 or not 4 <= size <= len(data) - 4:
        raise _damaged(f"a double array inside its {len(data)} bytes, got one of {size}")
    units = np.frombuffer(data, "<u4", size // 4, 4).astype(np.int64)
    texts = np.frombuffer(data, np.uint8, offset=4 + size)
    inner = np.flatnonzero(units >> 31 == 0)
    children = inner ^ ((units[inner] >> 10) << ((units[inner] & 0x200) >> 6))
    if not ((children | 0xFF) < len(units)).all():
        raise _damaged("children inside the double array")
    # Where a unit says that a text ends at it, its first child holds the place of that text.
    values = units[children[units[inner] & 0x100 != 0]] & 0x7FFFFFFF
    if not (values < len(texts)).all() or (texts[values] & 0xC0 == 0x80).any():
        raise _damaged("places at which a text begins")
    try:
        texts.tobytes().decode()
    except UnicodeDecodeError as error:
        raise _damaged(f"texts in UTF-8 ({error.reason})") from None


def check_charsmaps_in(value: object) -> None:
    """Checks every map that the JSON of a `tokenizer.json` holds, in base64.

    Raises:
        FormatError: as in `check_charsmap`, or a map is not base64.
    """
    if isinstance(value, dict):
        encoded = value.get("precompiled_charsmap")
        if isinstance(encoded, str) and encoded:
            try:
                check_charsmap(base64.b64decode(encoded, validate=True))
            except binascii.Error:
                raise _damaged("base64 for its bytes") from None
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            check_charsmaps_in(item)


def _damaged(rule: str) -> FormatError:
    return FormatError(
        f"the character map of a vocabulary must have {rule}; the file is damaged: "
        "download it again"
    )
