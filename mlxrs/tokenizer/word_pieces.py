"""The backend of BERT's vocabularies: whole words, and their parts behind "##"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .pieces import add_special_tokens

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

PREFIX = "##"


def word_piece_backend(
    tokens: list[str],
    kinds: list[int],
    *,
    unknown: str,
    lowercase: bool,
    strip_accents: bool,
) -> Backend:
    """Returns a backend that looks for the longest pieces of each word, from its start.

    Args:
        tokens: the vocabulary, parts of words beginning with "##".
        kinds: the kind of each token, as in `pieces`.
        unknown: the token for a word that has no pieces.
        lowercase: whether text is lower-cased.
        strip_accents: whether accents are dropped.
    """
    import tokenizers
    from tokenizers import decoders, models, normalizers, pre_tokenizers

    vocabulary = {token: index for index, token in enumerate(tokens)}
    backend = tokenizers.Tokenizer(
        models.WordPiece(vocabulary, unk_token=unknown, continuing_subword_prefix=PREFIX)
    )
    backend.normalizer = normalizers.BertNormalizer(
        lowercase=lowercase, strip_accents=strip_accents
    )
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    backend.decoder = decoders.WordPiece(prefix=PREFIX)
    add_special_tokens(backend, list(zip(tokens, kinds, strict=True)))
    return backend
