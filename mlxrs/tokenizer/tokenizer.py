"""The tokenizer of a model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import ChatTemplateError
from .chat_template import ChatTemplates
from .detokenizer import StreamingDetokenizer, detokenizer_for

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

Message = Mapping[str, object]


class Tokenizer:
    """Text to token ids and back, with the special tokens and chat template of one model.

    Made by `from_directory` or `from_gguf`; the constructor is for a backend built by hand.

    Args:
        backend: a tokenizer of the `tokenizers` library.
        special_tokens: token text by role, such as `{"bos_token": "<s>", "eos_token": "</s>"}`;
            chat templates see all of them by these names.
        eos_token_ids: every id that ends a reply.
        chat_templates: the templates that came with the model.

    Example:
        >>> tokenizer = Tokenizer.from_directory("SmolLM2-135M-Instruct")
        >>> tokenizer.decode(tokenizer.encode("naïve 🙂"))
        'naïve 🙂'
    """

    def __init__(
        self,
        backend: Backend,
        *,
        special_tokens: Mapping[str, str] | None = None,
        eos_token_ids: Iterable[int] = (),
        chat_templates: ChatTemplates | None = None,
    ) -> None:
        self.eos_token_ids = frozenset(eos_token_ids)
        self._backend = backend
        self._special_tokens = dict(special_tokens or {})
        self._chat_templates = chat_templates or ChatTemplates()
        # Ids are wanted as they are: padding or truncation in the file serves training.
        backend.no_padding()
        backend.no_truncation()

    @staticmethod
    def from_directory(path: str | Path) -> Tokenizer:
        """Reads the tokenizer of a Hugging Face directory.

        `tokenizer.json` is required. `tokenizer_config.json` and `chat_template.jinja` give special
        tokens and template. A reply ends at any end token of `tokenizer_config.json`,
        `generation_config.json` or `config.json`.

        Raises:
            ModelNotFoundError: there is no tokenizer.json.
            FormatError: a file cannot be read.
        """
        from .from_directory import read_tokenizer

        return read_tokenizer(Path(path))

    @staticmethod
    def from_gguf(metadata: Mapping[str, object]) -> Tokenizer:
        """Builds the tokenizer that is described by the metadata of a GGUF file.

        Raises:
            FormatError: the vocabulary is missing or contradicts itself.
            UnsupportedError: a tokenizer model or pre-tokenizer that is not known.
        """
        from .from_gguf import build_tokenizer

        return build_tokenizer(metadata)

    @property
    def vocab_size(self) -> int:
        """The number of tokens, added ones included; a model may have more rows than that."""
        return int(self._backend.get_vocab_size())

    @property
    def bos_token(self) -> str | None:
        """The text of the token that begins a sequence."""
        return self._special_tokens.get("bos_token")

    @property
    def eos_token(self) -> str | None:
        """The text of the token that ends a sequence; `eos_token_ids` may hold more."""
        return self._special_tokens.get("eos_token")

    @property
    def bos_token_id(self) -> int | None:
        """The id of `bos_token`."""
        return None if self.bos_token is None else self.token_to_id(self.bos_token)

    @property
    def chat_template(self) -> str | None:
        """The source of the default chat template; None for a model without one."""
        return self._chat_templates.default

    def encode(self, text: str, *, add_special_tokens: bool = True) -> list[int]:
        """Returns the ids of `text`.

        The text of a special token, such as `<|im_end|>`, becomes that token.

        Args:
            text: any string.
            add_special_tokens: whether to add the tokens that the model wants around a text, such
                as a beginning-of-sequence token. False for text made by a chat template, which
                writes them itself.

        Raises:
            TypeError: `text` is not a string.
            ValueError: `text` holds a lone surrogate, which no encoding has.
        """
        try:
            ids: list[int] = self._backend.encode(text, add_special_tokens=add_special_tokens).ids
        except TypeError:
            if not isinstance(text, str):
                raise TypeError(f"text must be a str, got {type(text).__name__}") from None
            raise ValueError(
                "text must not hold lone surrogates; clean it with "
                "text.encode('utf-8', 'replace').decode()"
            ) from None
        return ids

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """Returns the text of `ids`; bytes that are not UTF-8 become U+FFFD.

        Args:
            ids: token ids; those outside the vocabulary add nothing.
            skip_special_tokens: whether to leave special tokens out.
        """
        return str(self._backend.decode(ids, skip_special_tokens=skip_special_tokens))

    def token_to_id(self, token: str) -> int | None:
        """Returns the id of the token with exactly this text, or None."""
        token_id: int | None = self._backend.token_to_id(token)
        return token_id

    def id_to_token(self, token_id: int) -> str | None:
        """Returns the text of a token as the vocabulary spells it, or None."""
        token: str | None = self._backend.id_to_token(token_id)
        return token

    def detokenizer(self) -> StreamingDetokenizer:
        """Returns a new streaming detokenizer; making one costs next to nothing."""
        return detokenizer_for(self._backend)

    def apply_chat_template(
        self,
        messages: Sequence[Message],
        *,
        add_generation_prompt: bool = True,
        tools: Sequence[Mapping[str, object]] | None = None,
        variables: Mapping[str, object] | None = None,
    ) -> str:
        """Writes a conversation the way the model was trained to read it.

        Args:
            messages: mappings with `role` and `content`, and what else the template knows.
            add_generation_prompt: whether to end with the head of an assistant's reply.
            tools: JSON schemas of functions the model may call.
            variables: further names for the template, such as `{"enable_thinking": False}`.

        Raises:
            ChatTemplateError: the model has no chat template, or it failed.

        Example:
            >>> tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}])
            '<|im_start|>user\\nHi<|im_end|>\\n<|im_start|>assistant\\n'
        """
        template = self._chat_templates.select(with_tools=tools is not None)
        if template is None:
            raise ChatTemplateError(
                "this model has no chat template, and none is invented; use an instruction-tuned "
                "model, or generate from plain text"
            )
        context: dict[str, object] = {
            **self._special_tokens,
            "messages": list(messages),
            "tools": None if tools is None else list(tools),
            "documents": None,
            "add_generation_prompt": add_generation_prompt,
            **(variables or {}),
        }
        return template.render(context)

    def apply_chat_template_ids(
        self,
        messages: Sequence[Message],
        *,
        add_generation_prompt: bool = True,
        tools: Sequence[Mapping[str, object]] | None = None,
        variables: Mapping[str, object] | None = None,
    ) -> list[int]:
        """Returns the ids of `apply_chat_template`; no special tokens are added to them."""
        text = self.apply_chat_template(
            messages,
            add_generation_prompt=add_generation_prompt,
            tools=tools,
            variables=variables,
        )
        return self.encode(text, add_special_tokens=False)
