import pytest

from mlxrs import errors


@pytest.mark.parametrize(
    "error, builtin",
    [
        (errors.ModelNotFoundError, FileNotFoundError),
        (errors.DownloadError, OSError),
        (errors.FormatError, ValueError),
        (errors.UnsupportedError, ValueError),
        (errors.ChatTemplateError, ValueError),
        (errors.ContextLengthError, ValueError),
        (errors.ChatSessionError, RuntimeError),
    ],
)
def test_each_error_is_one_of_ours_and_a_builtin_one(error, builtin):
    assert issubclass(error, errors.MlxrsError) and issubclass(error, builtin)


@pytest.mark.parametrize(
    "error, words",
    [
        (errors.NoCacheError, ["no KV cache available", "call respond", "before save_cache"]),
        (errors.SpeculativeCacheError, ["speculative", "consumes its KV caches"]),
        (
            errors.CacheWithSpeculationError,
            ["cache=", "speculative=", ".cache(", ".speculative("],
        ),
        (errors.PrefixLostError, ["KV cache", "cannot be read again"]),
        (errors.ToolRoundsError, ["max_rounds", "stream_tools()"]),
        (errors.StreamOpenError, ["still streaming", "close()", "cancel()"]),
    ],
)
def test_session_errors_explain_themselves(error, words):
    made = error()

    assert all(word in str(made) for word in words)
    assert isinstance(made, errors.ChatSessionError) and made.__cause__ is None
    assert error is errors.NoCacheError or "call respond" not in str(made)
