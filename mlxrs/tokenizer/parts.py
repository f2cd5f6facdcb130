"""What the readers of tokenizer files find in them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend


@dataclass
class Parts:
    """A backend with what its file says beside it.

    Attributes:
        backend: turns text into ids and back.
        special_tokens: token text by role, such as "bos_token".
        eos_token_ids: ids that end a reply.
    """

    backend: Backend
    special_tokens: dict[str, str] = field(default_factory=dict)
    eos_token_ids: set[int] = field(default_factory=set)
