"""Text to token ids and back, chat templates, and text out of a stream of tokens."""

from .tokenizer import Tokenizer

__all__ = ["Tokenizer"]
