"""The tokenizers of Qwen3 and Gemma 3 behave as in transformers."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.vocabularies import gemma3_directory, qwen3_directory

from mlxrs.tokenizer import Tokenizer

DIRECTORIES = {"qwen3": qwen3_directory, "gemma3": gemma3_directory}
# transformers' class for Gemma takes <mask> for a special token; the checkpoint's file says it is
# none, and here the file counts.
SPECIAL_BY_CLASS = {"qwen3": set(), "gemma3": {"<mask>"}}
TEXT = st.text(
    st.sampled_from("aB 1.\n'é中🙂\u0301\u200d") | st.characters(exclude_categories=["Cs"])
)


@pytest.mark.reference
@pytest.mark.parametrize("name", DIRECTORIES)
def test_ids_and_text_equal_those_of_transformers(name: str) -> None:
    from transformers import AutoTokenizer

    directory = DIRECTORIES[name]()
    tokenizer = Tokenizer.from_directory(directory)
    reference = AutoTokenizer.from_pretrained(str(directory))
    special = sorted(tokenizer.special_token_ids)[:50]
    by_class = set(reference.all_special_ids) - tokenizer.special_token_ids
    index = st.integers(0, len(reference) - 1).filter(lambda i: i not in by_class)
    index |= st.sampled_from(special)

    assert set(reference.convert_ids_to_tokens(sorted(by_class))) == SPECIAL_BY_CLASS[name]

    assert tokenizer.eos_token_id == reference.eos_token_id
    assert tokenizer.pad_token_id == reference.pad_token_id
    assert tokenizer.eos_token_ids == {reference.eos_token_id}

    @settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
    @given(text=TEXT, ids=st.lists(index, max_size=30), skip=st.booleans())
    def check(text: str, ids: list[int], skip: bool) -> None:
        assert tokenizer.encode(text) == reference.encode(text)
        assert tokenizer.encode(text, add_special_tokens=False) == reference.encode(
            text, add_special_tokens=False
        )
        expected = reference.decode(
            ids, skip_special_tokens=skip, clean_up_tokenization_spaces=False
        )
        assert tokenizer.decode(ids, skip_special_tokens=skip) == expected
        detokenizer = tokenizer.detokenizer(skip_special_tokens=skip)
        for token in ids:
            detokenizer.add_token(token)
        detokenizer.finalize()
        assert detokenizer.text == expected

    check()


@pytest.mark.reference
def test_batches_are_padded_as_in_transformers() -> None:
    from transformers import AutoTokenizer

    tokenizer = Tokenizer.from_directory(qwen3_directory())
    reference = AutoTokenizer.from_pretrained(str(qwen3_directory()), padding_side="left")
    texts = ["Hello", "A longer text, with words", ""]

    batch = tokenizer.pad(tokenizer.encode_batch(texts))
    expected = reference(texts, padding=True, return_tensors="np")

    assert batch.input_ids.tolist() == expected["input_ids"].tolist()
    assert batch.attention_mask.tolist() == expected["attention_mask"].tolist()
