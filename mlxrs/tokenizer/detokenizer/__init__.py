"""Streaming detokenizers: text that grows token by token at constant cost.

Whatever the tokens are, the joined segments equal `Tokenizer.decode` of all of them. The three
classes differ in what they know about the decoder of the tokenizer:

    BpeDetokenizer     byte-level BPE: a token is a run of bytes
    SpmDetokenizer     SentencePiece with byte fallback: a token is text, or one byte
    NaiveDetokenizer   anything else: decodes the last few tokens again
"""

from .base import StreamingDetokenizer
from .select import detokenizers_for

__all__ = ["StreamingDetokenizer", "detokenizers_for"]
