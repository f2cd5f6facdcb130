"""The backend of byte-level BPE: tokens are runs of bytes, spelled in 256 letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import FormatError
from .pieces import add_special_tokens
from .pre_tokenizers import ByteLevelRules

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend


def byte_level_backend(
    vocabulary: dict[str, int],
    merges: list[tuple[str, str]],
    rules: ByteLevelRules,
    *,
    kinds: list[int],
) -> Backend:
    """Returns a backend for a byte-level vocabulary.

    Args:
        vocabulary: id of each token, in the order of the ids.
        merges: pairs of tokens, the first to be merged coming first.
        rules: how text is split.
        kinds: the kind of each token, as in `pieces`.

    Raises:
        FormatError: the merges are not of this vocabulary.
    """
    import tokenizers
    from tokenizers import decoders, models

    try:
        model = models.BPE(vocabulary, merges, ignore_merges=rules.ignore_merges)
    except Exception as error:  # the library raises nothing narrower
        raise FormatError(
            f"merges must be pairs of the vocabulary ({error}); the file is damaged: download or "
            "convert it again"
        ) from error
    backend = tokenizers.Tokenizer(model)
    backend.normalizer = rules.normalizer()
    backend.pre_tokenizer = rules.pre_tokenizer()
    backend.decoder = decoders.ByteLevel()
    add_special_tokens(backend, list(zip(vocabulary, kinds, strict=True)))
    return backend
