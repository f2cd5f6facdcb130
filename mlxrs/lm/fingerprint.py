"""By what a model is known again."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import mlxc as mx
from mlxc.tree import tree_flatten

from .. import nn
from .models import LanguageModel

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer

SAMPLES = 8  # values looked at of every weight


def fingerprint(model: LanguageModel, tokenizer: Tokenizer) -> str:
    """Return a text that differs between models, and between tokenizers, but not between runs.

    It tells the class and the caches of the model, the names, shapes and types of its weights
    with a few values of each, and the size, ending tokens and chat template of the vocabulary.
    """
    # OpenSSL comes along, 4 MB that only those need who save sessions.
    from hashlib import sha256

    told: list[object] = [type(model).__name__, model.context_length]
    told += [(type(cache).__name__, cache.meta_state) for cache in model.make_cache()]
    told += [tokenizer.vocab_size, sorted(tokenizer.eos_token_ids), tokenizer.chat_template]
    digest = sha256(repr(told).encode())
    if isinstance(model, nn.Module):
        weights = cast("list[tuple[str, mx.array]]", tree_flatten(model.parameters()))
        samples = [_sample(array) for _, array in weights]
        mx.eval(samples)
        for (name, array), sample in zip(weights, samples, strict=True):
            digest.update(f"{name}{tuple(array.shape)}{array.dtype}{sample.tolist()}".encode())
    return digest.hexdigest()


def _sample(array: mx.array) -> mx.array:
    """Return some values, spread over the whole array, float32."""
    stride = max(1, array.size // SAMPLES)
    return array.reshape(-1)[::stride][:SAMPLES].astype(mx.float32)
