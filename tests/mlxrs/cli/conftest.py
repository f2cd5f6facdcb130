"""What the tests of the command line find in place."""

import pytest
from support.models import smollm2_gguf


@pytest.fixture(scope="session", autouse=True)
def cached_model() -> None:
    """The default model is pulled before, so that no command says that it pulls it."""
    smollm2_gguf()
