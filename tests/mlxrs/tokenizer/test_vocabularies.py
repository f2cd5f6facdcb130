"""Token ids of real vocabularies equal those that llama.cpp expects."""

from __future__ import annotations

import pytest
from support.vocabularies import WITH_EXPECTED_IDS, expected_ids, gguf_vocabulary


@pytest.mark.parametrize("name", WITH_EXPECTED_IDS)
def test_ids_equal_those_of_llama_cpp(name: str) -> None:
    tokenizer = gguf_vocabulary(name)

    for text, ids in expected_ids(name):
        assert tokenizer.encode(text, add_special_tokens=False) == ids, text
