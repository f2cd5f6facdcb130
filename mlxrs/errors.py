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
        └── StreamEndedError                      the session went on to another turn

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
        message: str = "no KV cache to save: run a turn with respond() before save_cache()",
    ) -> None:
        super().__init__(message)


class StreamEndedError(ChatSessionError):
    """A stream was read on after its session had begun another turn."""

    def __init__(
        self,
        message: str = "this reply was ended because its session began another turn: "
        "read a stream to its end before the next call of respond()",
    ) -> None:
        super().__init__(message)
