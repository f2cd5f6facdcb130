"""Writing small GGUF files for tests."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

TYPE_IDS = {"F32": 0, "F16": 1, "Q4_0": 2, "Q4_1": 3, "Q8_0": 8, "Q4_K": 12, "BF16": 30}


@dataclass(frozen=True)
class Stored:
    """A tensor as the file holds it; `shape` is rows first."""

    type: str
    shape: tuple[int, ...]
    data: bytes


def gguf_bytes(
    metadata: Mapping[str, object],
    tensors: Mapping[str, Stored] | None = None,
    *,
    version: int = 3,
    alignment: int = 32,
) -> bytes:
    """Returns a whole GGUF file."""
    tensors = tensors or {}
    header = b"GGUF" + struct.pack("<IQQ", version, len(tensors), len(metadata))
    for key, value in metadata.items():
        header += text(key) + typed(value)
    data = b""
    for name, tensor in tensors.items():
        data += bytes(-len(data) % alignment)
        dimensions = tensor.shape[::-1]
        header += text(name) + struct.pack(f"<I{len(dimensions)}Q", len(dimensions), *dimensions)
        header += struct.pack("<IQ", TYPE_IDS[tensor.type], len(data))
        data += tensor.data
    return header + bytes(-len(header) % alignment) + data


def text(value: str) -> bytes:
    """Returns a GGUF string: its length in 8 bytes, then UTF-8."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def typed(value: object) -> bytes:
    """Returns a type id and a value: bool, int (uint32), float (float32), str, or list of these."""
    match value:
        case bool():
            return struct.pack("<I?", 7, value)
        case int():
            return struct.pack("<II", 4, value)
        case float():
            return struct.pack("<If", 6, value)
        case str():
            return struct.pack("<I", 8) + text(value)
        case list():
            kind = typed(value[0])[:4] if value else struct.pack("<I", 4)
            items = b"".join(typed(item)[4:] for item in value)
            return struct.pack("<I", 9) + kind + struct.pack("<Q", len(value)) + items
    raise TypeError(type(value))


def random_stored(kind: str, shape: tuple[int, ...], generator: np.random.Generator) -> Stored:
    """Returns a tensor of random values; the scales of quantized blocks are finite."""
    if kind in ("F32", "F16"):
        dtype = np.float32 if kind == "F32" else np.float16
        return Stored(kind, shape, generator.standard_normal(shape).astype(dtype).tobytes())
    if kind == "BF16":
        values = generator.standard_normal(shape).astype(np.float32)
        return Stored(kind, shape, (values.view(np.uint32) >> 16).astype(np.uint16).tobytes())
    halves, codes = {"Q4_0": (1, 16), "Q4_1": (2, 16), "Q8_0": (1, 32)}[kind]
    blocks = int(np.prod(shape)) // 32
    scales = generator.standard_normal((blocks, halves)).astype(np.float16).view(np.uint8)
    data = generator.integers(0, 256, (blocks, codes), dtype=np.uint8)
    return Stored(kind, shape, np.concatenate([scales, data], axis=1).tobytes())


def rows_of(stored: Stored) -> np.ndarray:
    """Returns the bytes of each row, (R, bytes of a row)."""
    return np.frombuffer(stored.data, np.uint8).reshape(stored.shape[0], -1)


def naive_dequantize(stored: Stored) -> np.ndarray:
    """Returns the float32 values of a quantized tensor, one block and one element at a time."""
    size = {"Q4_0": 18, "Q4_1": 20, "Q8_0": 34}[stored.type]
    values: list[np.float32] = []
    for start in range(0, len(stored.data), size):
        block = stored.data[start : start + size]
        scale = np.float32(np.frombuffer(block[:2], "<f2")[0])
        if stored.type == "Q8_0":
            codes = [byte - 256 if byte > 127 else byte for byte in block[2:]]
            values += [scale * np.float32(code) for code in codes]
            continue
        codes = [byte % 16 for byte in block[-16:]] + [byte // 16 for byte in block[-16:]]
        if stored.type == "Q4_0":
            values += [scale * np.float32(code - 8) for code in codes]
        else:
            offset = np.float32(np.frombuffer(block[2:4], "<f2")[0])
            values += [scale * np.float32(code) + offset for code in codes]
    return np.array(values, np.float32).reshape(stored.shape)


LLAMA_METADATA: dict[str, object] = {
    "general.architecture": "llama",
    "llama.embedding_length": 64,
    "llama.block_count": 1,
    "llama.feed_forward_length": 96,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
    "llama.attention.layer_norm_rms_epsilon": 1e-5,
    "llama.rope.freq_base": 5000.0,
    "llama.rope.dimension_count": 16,
    "llama.context_length": 128,
}


def llama_tensors(generator: np.random.Generator, kind: str = "Q4_0") -> dict[str, Stored]:
    """Returns the tensors of a one-layer llama: 4 query and 2 key heads of 16, vocabulary 10."""
    shapes = {
        "token_embd": (10, 64),
        "blk.0.attn_q": (64, 64),
        "blk.0.attn_k": (32, 64),
        "blk.0.attn_v": (32, 64),
        "blk.0.attn_output": (64, 64),
        "blk.0.ffn_gate": (96, 64),
        "blk.0.ffn_up": (96, 64),
        "blk.0.ffn_down": (64, 96),
    }
    norms = ("output_norm", "blk.0.attn_norm", "blk.0.ffn_norm")
    tensors = {
        f"{name}.weight": random_stored(kind, shape, generator) for name, shape in shapes.items()
    }
    return tensors | {f"{name}.weight": random_stored("F32", (64,), generator) for name in norms}
