"""Language models on MLX: load one, talk to it.

    from mlxrs import ChatSession, load

    session = ChatSession(*load("smollm2-135m-instruct"))
    print(session.respond("What is a tensor?"))

The layers of models are in `mlxrs.nn`, caches in `mlxrs.lm.cache`, architectures in
`mlxrs.lm.models`.
"""

from . import _backend  # noqa: F401  # isort: split
from .errors import (
    CacheWithSpeculationError,
    ChatSessionError,
    ChatTemplateError,
    ContextLengthError,
    DownloadError,
    FormatError,
    MlxrsError,
    ModelNotFoundError,
    NoCacheError,
    PrefixLostError,
    SpeculativeCacheError,
    StreamOpenError,
    ToolRoundsError,
    UnsupportedError,
)
from .lm.aio import stream_generate_async
from .lm.batch import BatchGenerator, batch_generate, batch_stream_generate
from .lm.cache_prompt import cache_prompt
from .lm.draft_model import SpeculativeDecodingConfig
from .lm.generate import generate, stream_generate
from .lm.load import load
from .lm.messages import ChatMessage, Role
from .lm.params import GenConfig
from .lm.perplexity import Perplexity, perplexity
from .lm.prompt_lookup import PromptLookupConfig
from .lm.reply import Reply
from .lm.response import FinishReason, GenerationResponse, SpeculationStats
from .lm.score import Score, score
from .lm.session import ChatSession
from .lm.speculative import speculative_step
from .lm.steps import generate_step
from .lm.structured import Grammar
from .lm.toolbox import Toolbox
from .loading.hub import pull, resolve
from .tokenizer import Tokenizer

__version__ = "0.1.0"

__all__ = [
    "BatchGenerator",
    "CacheWithSpeculationError",
    "ChatMessage",
    "ChatSession",
    "ChatSessionError",
    "ChatTemplateError",
    "ContextLengthError",
    "DownloadError",
    "FinishReason",
    "FormatError",
    "GenConfig",
    "GenerationResponse",
    "Grammar",
    "MlxrsError",
    "ModelNotFoundError",
    "NoCacheError",
    "Perplexity",
    "PrefixLostError",
    "PromptLookupConfig",
    "Reply",
    "Role",
    "Score",
    "SpeculationStats",
    "SpeculativeCacheError",
    "SpeculativeDecodingConfig",
    "StreamOpenError",
    "Tokenizer",
    "ToolRoundsError",
    "Toolbox",
    "UnsupportedError",
    "__version__",
    "batch_generate",
    "batch_stream_generate",
    "cache_prompt",
    "generate",
    "generate_step",
    "load",
    "perplexity",
    "pull",
    "resolve",
    "score",
    "speculative_step",
    "stream_generate",
    "stream_generate_async",
]
