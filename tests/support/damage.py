"""Files damaged at random."""

from __future__ import annotations

import random
import struct


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Other bytes than `data`, as a bad disk or a bad copy leaves them."""
    place = rng.randrange(len(data))
    kind = rng.choice(("flip", "flips", "cut", "insert", "remove", "huge"))
    if kind == "cut":
        return data[:place]
    if kind == "insert":
        return data[:place] + rng.randbytes(rng.randint(1, 16)) + data[place:]
    if kind == "remove":
        return data[:place] + data[place + rng.randint(1, 16) :]
    if kind == "huge":
        field = struct.pack("<Q", rng.choice((2**31, 2**40, 2**63, 2**64 - 1)))
        return data[:place] + field + data[place + 8 :]
    changed = bytearray(data)
    for _ in range(1 if kind == "flip" else 8):
        changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)
