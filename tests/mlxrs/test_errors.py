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


def test_session_errors_explain_themselves_and_differ():
    no_cache, ended = errors.NoCacheError(), errors.StreamEndedError()

    assert "no KV cache" in str(no_cache) and "save_cache" in str(no_cache)
    assert "another turn" in str(ended)
    for error in (no_cache, ended):
        assert isinstance(error, errors.ChatSessionError) and error.__cause__ is None
