"""Every error of mlxrs' own, under one base.

A built-in exception stands beside the base wherever one fits, so `except ValueError` and
`except FileNotFoundError` keep their meaning.

    MlxrsError
    ├── ModelNotFoundError  (FileNotFoundError)   no model under that name or path
    ├── DownloadError       (OSError)             the network or the disk failed during a pull
    ├── FormatError         (ValueError)          a file is malformed
    ├── UnsupportedError    (ValueError)          well-formed, but unknown here
    ├── ChatTemplateError   (ValueError)          no chat template, or one that cannot be rendered
    ├── ContextLengthError  (ValueError)          more tokens than the model's context holds
    └── ChatSessionError    (RuntimeError)        the session cannot do that now
        ├── NoCacheError                          there is no KV cache yet
        ├── SpeculativeCacheError                 the KV caches of speculation are not to be had
        ├── CacheWithSpeculationError             not a given KV cache and speculation
        ├── PrefixLostError                       a given KV cache cannot be kept
        ├── StreamOpenError                       a reply is still being streamed
        └── ToolRoundsError                       the model calls tools without end

Arguments that are simply wrong raise plain `ValueError` or `TypeError`.
"""


class MlxrsError(Exception):
    """The base of every error raised by mlxrs itself."""


class ModelNotFoundError(MlxrsError, FileNotFoundError):
    """No model is known or stored under the given name or path."""


class DownloadError(MlxrsError, OSError):
    """A download failed, or what arrived is not what was announced."""


class FormatError(MlxrsError, ValueError):
    """A file breaks the rules of its own format."""


class UnsupportedError(MlxrsError, ValueError):
    """A file is well-formed but names an architecture, type or model that is not known here."""


class ChatTemplateError(MlxrsError, ValueError):
    """The tokenizer has no chat template, or its template cannot be compiled or rendered."""


class ContextLengthError(MlxrsError, ValueError):
    """The prompt and what is already cached exceed the context the model was trained for."""


class ChatSessionError(MlxrsError, RuntimeError):
    """A chat session was asked for something it cannot do in its present state."""


class NoCacheError(ChatSessionError):
    """The session holds no KV cache, because no turn was run yet."""

    def __init__(
        self,
        message: str = "no KV cache available: call respond() or stream_respond() "
        "before save_cache()",
    ) -> None:
        super().__init__(message)


class SpeculativeCacheError(ChatSessionError):
    """The KV cache of a session with speculation was asked for."""

    def __init__(
        self,
        message: str = "a speculative session has no KV cache to save: speculation consumes its "
        "KV caches; use save(path), which keeps the whole session, or leave speculative= out",
    ) -> None:
        super().__init__(message)


class CacheWithSpeculationError(ChatSessionError):
    """A session was to have both a given KV cache and speculation."""

    def __init__(
        self,
        message: str = "a given KV cache cannot be used in a speculative session, whose draft "
        "model has not read it: leave cache= out, .cache(...) in a builder, or leave "
        "speculative= out, .speculative(...) in a builder",
    ) -> None:
        super().__init__(message)


class PrefixLostError(ChatSessionError):
    """A turn could only be run without the KV cache that the session was given."""

    def __init__(
        self,
        message: str = "the conversation changed further back than its KV cache can go, and the "
        "tokens that cache was given with cannot be read again: build a new session with the "
        "cache, or undo the change",
    ) -> None:
        super().__init__(message)


class StreamOpenError(ChatSessionError):
    """A session was to be changed while it streams a reply."""

    def __init__(
        self,
        message: str = "this session is still streaming a reply: read the stream to its end, "
        "close() it, or cancel() it first",
    ) -> None:
        super().__init__(message)


class ToolRoundsError(ChatSessionError):
    """The model went on calling tools instead of answering."""

    def __init__(
        self,
        message: str = "the model still calls tools after max_rounds rounds: raise that of the "
        "Toolbox, or go on with stream_tools()",
    ) -> None:
        super().__init__(message)
