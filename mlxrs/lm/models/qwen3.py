"""Qwen3 (https://arxiv.org/abs/2505.09388): Llama, with each head's queries and keys normalised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ...errors import UnsupportedError
from . import llama


@dataclass
class ModelArgs(llama.ModelArgs):
    """The keys of `config.json` that matter, named as there."""

    qk_norm: ClassVar[bool] = True

    head_dim: int = 128
    use_sliding_window: bool = False

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.use_sliding_window:
            raise UnsupportedError(
                "config.json: use_sliding_window must be false, got true; a Qwen3 in which only "
                "some layers have a window is not read"
            )
        self.sliding_window = None


class Model(llama.Model):
    """A Qwen3; see `LanguageModel` for its use."""

    args: ModelArgs
