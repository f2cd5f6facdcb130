"""Small tokenizer backends, one for each kind of decoder."""

from __future__ import annotations

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

SPECIAL = ["<|end|>", "<|im_start|>", "é|", "< >"]


def byte_letters() -> list[str]:
    """Returns GPT-2's letter of each byte, taken from the `tokenizers` library."""
    encoder = pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)
    # Any character has its UTF-8 bytes as letters; these characters have all bytes among them.
    letters: dict[int, str] = {}
    for point in [*range(0x800), *range(0x800, 0x10FFFF, 0x1000)]:
        if not 0xD800 <= point < 0xE000:
            spelled = "".join(piece for piece, _ in encoder.pre_tokenize_str(chr(point)))
            letters |= dict(zip(chr(point).encode(), spelled, strict=True))
    return [letters.get(byte, chr(byte)) for byte in range(256)]


def byte_level_metadata() -> dict[str, object]:
    """Returns GGUF metadata of a byte-level BPE: one token a byte, three merges, two controls."""
    merges = [("h", "e"), ("l", "l"), ("Ġ", "he")]
    tokens = [*byte_letters(), *("".join(merge) for merge in merges), "<|end|>", "<|im_start|>"]
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": tokens,
        "tokenizer.ggml.token_type": [1] * 259 + [3, 3],
        "tokenizer.ggml.merges": [" ".join(merge) for merge in merges],
        "tokenizer.ggml.bos_token_id": 260,
        "tokenizer.ggml.eos_token_id": 259,
    }


def byte_level_backend() -> Tokenizer:
    """Returns a byte-level BPE of 256 bytes and added tokens in and outside the byte letters."""
    vocabulary = {letter: byte for byte, letter in enumerate(byte_letters())}
    backend = Tokenizer(models.BPE(vocabulary, []))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    backend.add_tokens([AddedToken(text, special=True, normalized=False) for text in SPECIAL])
    return backend


def spm_backend(*, strip: bool) -> Tokenizer:
    """Returns a SentencePiece-like BPE: 256 byte tokens, then words, one without a space."""
    tokens = [f"<0x{byte:02X}>" for byte in range(256)]
    tokens += ["▁", "▁Hello", "▁world", "!", "é", "▁▁", "日本", "\u0301"]
    backend = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, []))
    steps = [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()]
    backend.decoder = decoders.Sequence(steps + ([decoders.Strip(" ", 1, 0)] if strip else []))
    backend.add_special_tokens(["</s>"])
    return backend


def metaspace_backend() -> Tokenizer:
    """Returns words with a decoder that drops the space of the first one."""
    tokens = ["▁Hello", "▁world", "!", "▁", "é", "s"]
    backend = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, []))
    backend.decoder = decoders.Metaspace()
    return backend


def word_backend(*, decoder: bool) -> Tokenizer:
    """Returns words and word ends, joined by WordPiece rules, or by spaces without a decoder."""
    tokens = ["[UNK]", "hello", "world", "##ing", "##s", ".", "n't"]
    backend = Tokenizer(models.WordLevel({t: i for i, t in enumerate(tokens)}, unk_token="[UNK]"))
    if decoder:
        backend.decoder = decoders.WordPiece()
    return backend
