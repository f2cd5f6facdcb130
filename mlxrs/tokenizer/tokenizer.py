"""The tokenizer of a model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .batch import PaddedBatch, pad_rows
from .chat_template import ChatTemplates
from .conversation import render_conversation
from .detokenizer import StreamingDetokenizer, detokenizers_for
from .encode import encode_texts

if TYPE_CHECKING:
    from tokenizers import Tokenizer as Backend

    from .tools import ReplyParser

Message = Mapping[str, object]
Tool = Mapping[str, object] | Callable[..., object]


class Tokenizer:
    """Text to token ids and back, with the special tokens and chat template of one model.

    Made by `from_directory`, `from_file` or `from_gguf`; the constructor is for a backend built
    by hand.

    Args:
        backend: a tokenizer of the `tokenizers` library.
        special_tokens: token text by role, such as `{"bos_token": "<s>", "eos_token": "</s>"}`;
            chat templates see all of them by these names.
        eos_token_ids: every id that ends a reply; the attribute of that name may be replaced.
        chat_templates: the templates that came with the model.
        tool_format: the name of the way the model writes calls of tools, where its files tell.

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
        tool_format: str | None = None,
    ) -> None:
        self.eos_token_ids = frozenset(eos_token_ids)
        self._backend = backend
        self._special_tokens = dict(special_tokens or {})
        self._chat_templates = chat_templates or ChatTemplates()
        self._tool_format = tool_format
        self._detokenizers: dict[bool, Callable[[], StreamingDetokenizer]] = {}
        # Ids are wanted as they are: padding or truncation in the file serves training.
        backend.no_padding()
        backend.no_truncation()

    @staticmethod
    def from_directory(path: str | Path) -> Tokenizer:
        """Reads the tokenizer of a Hugging Face directory.

        The vocabulary is in `tokenizer.json`, or else in `tekken.json`, `tokenizer.model` or a
        `.tiktoken` file. `tokenizer_config.json`, `special_tokens_map.json`,
        `chat_template.jinja` and `chat_templates/` give special tokens and templates. A reply ends
        at any end token of these, of `generation_config.json`, of `config.json`, or of the
        vocabulary.

        Raises:
            ModelNotFoundError: there is no vocabulary.
            FormatError: a file cannot be read.
        """
        from .from_directory import read_tokenizer

        return read_tokenizer(Path(path))

    @staticmethod
    def from_file(
        path: str | Path,
        *,
        pattern: str | None = None,
        special_tokens: Mapping[str, int] | None = None,
    ) -> Tokenizer:
        """Reads a tokenizer from one file alone; what it is, its content tells.

        It may be a `tokenizer.json`, a SentencePiece `tokenizer.model`, a `tekken.json`, or a
        tiktoken vocabulary (`*.tiktoken`, and the `tokenizer.model` of Llama 3). Chat templates
        and further end tokens stand in other files: `from_directory` reads all of them.

        Args:
            path: the file.
            pattern: for a tiktoken vocabulary, the regular expression that splits text; known by
                the name of the file for `gpt2`, `multilingual`, `cl100k_base`, `o200k_base` and
                `qwen`.
            special_tokens: for a tiktoken vocabulary, the ids of the special tokens, which the
                file does not hold.

        Raises:
            ModelNotFoundError: there is no such file.
            FormatError: the file is none of these, is damaged, or is too large.
            UnsupportedError: it is well-formed, but of a kind that is not known here.
            ValueError: `pattern` is missing, or an argument does not go with the file.
        """
        from .from_file import read_file

        return read_file(Path(path), pattern=pattern, special_tokens=special_tokens)

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

    @property
    def shows_tools(self) -> bool:
        """Whether the model's chat template tells it which tools there are."""
        return self._chat_templates.show_tools

    def chat_template_variables(self, *, with_tools: bool = False) -> frozenset[str]:
        """Returns the names that the chat template uses and does not always set itself.

        Args:
            with_tools: whether the conversation has tools, for which there may be a template of
                its own.

        Raises:
            ChatTemplateError: the model has no chat template, or it does not compile.
        """
        return self._chat_templates.select(with_tools=with_tools).variables

    @property
    def unk_token(self) -> str | None:
        """The text of the token for what the vocabulary cannot spell."""
        return self._special_tokens.get("unk_token")

    @property
    def pad_token(self) -> str | None:
        """The text of the token that fills up short rows."""
        return self._special_tokens.get("pad_token")

    @property
    def eos_token_id(self) -> int | None:
        """The id of `eos_token`."""
        return None if self.eos_token is None else self.token_to_id(self.eos_token)

    @property
    def pad_token_id(self) -> int | None:
        """The id of `pad_token`."""
        return None if self.pad_token is None else self.token_to_id(self.pad_token)

    @property
    def special_token_ids(self) -> frozenset[int]:
        """The ids that `skip_special_tokens` leaves out."""
        added = self._backend.get_added_tokens_decoder()
        return frozenset(index for index, token in added.items() if token.special)

    def add_eos_token(self, token: str | int) -> None:
        """Lets a further token, given by text or id, end a reply.

        Raises:
            ValueError: the vocabulary has no such token.
        """
        index = self.token_to_id(token) if isinstance(token, str) else token
        if index is None or self.id_to_token(index) is None:
            raise ValueError(f"token must be in the vocabulary, got {token!r}")
        self.eos_token_ids |= {index}

    def encode(
        self,
        text: str,
        *,
        add_special_tokens: bool = True,
        add_eos: bool = False,
        max_length: int | None = None,
    ) -> list[int]:
        """Returns the ids of `text`.

        The text of a special token, such as `<|im_end|>`, becomes that token.

        Args:
            text: any string.
            add_special_tokens: whether to add the tokens that the model wants around a text, such
                as a beginning-of-sequence token. False for text made by a chat template, which
                writes them itself.
            add_eos: whether the ids end with `eos_token_id`.
            max_length: at most so many ids are returned. What is cut off is the end of the text;
                added tokens stay.

        Raises:
            TypeError: `text` is not a string.
            ValueError: `text` holds a lone surrogate, which no encoding has; `max_length` is
                negative; or `add_eos` is asked of a model without an end token.
        """
        return self.encode_batch(
            [text], add_special_tokens=add_special_tokens, add_eos=add_eos, max_length=max_length
        )[0]

    def encode_batch(
        self,
        texts: Sequence[str],
        *,
        add_special_tokens: bool = True,
        add_eos: bool = False,
        max_length: int | None = None,
    ) -> list[list[int]]:
        """Returns the ids of every text, worked out in parallel.

        Arguments and errors are those of `encode`; `pad` makes the rows equally long.
        """
        eos = self.eos_token_id if add_eos else None
        if add_eos and eos is None:
            raise ValueError("add_eos needs a model with an end token, and this one has none")
        return encode_texts(
            self._backend,
            texts,
            add_special_tokens=add_special_tokens,
            eos=eos,
            max_length=max_length,
        )

    def pad(
        self,
        rows: Sequence[Sequence[int]],
        *,
        side: Literal["left", "right"] = "left",
        multiple_of: int = 1,
        pad_token_id: int | None = None,
    ) -> PaddedBatch:
        """Makes rows of ids equally long, and tells which places hold tokens.

        Args:
            rows: B lists of ids.
            side: where the padding goes: left for generation, as replies go on at the right.
            multiple_of: the length is rounded up to a multiple of this.
            pad_token_id: the id to fill with; by default that of the pad token, or else of the
                end token, or else 0.

        Example:
            >>> batch = tokenizer.pad(tokenizer.encode_batch(["Hi", "A longer text"]))
            >>> logits = model(mx.array(batch.input_ids))
        """
        candidates = (pad_token_id, self.pad_token_id, self.eos_token_id, 0)
        fill = next(candidate for candidate in candidates if candidate is not None)
        return pad_rows(rows, fill, side=side, multiple_of=multiple_of)

    def decode(self, ids: Sequence[int], *, skip_special_tokens: bool = False) -> str:
        """Returns the text of `ids`; bytes that are not UTF-8 become U+FFFD.

        Args:
            ids: token ids; those outside the vocabulary add nothing.
            skip_special_tokens: whether to leave special tokens out.
        """
        try:
            return str(self._backend.decode(ids, skip_special_tokens=skip_special_tokens))
        except OverflowError:
            known = [index for index in ids if 0 <= index < 1 << 32]
            return str(self._backend.decode(known, skip_special_tokens=skip_special_tokens))

    def decode_batch(
        self, rows: Sequence[Sequence[int]], *, skip_special_tokens: bool = False
    ) -> list[str]:
        """Returns the text of every row of ids."""
        return [self.decode(row, skip_special_tokens=skip_special_tokens) for row in rows]

    def token_to_id(self, token: str) -> int | None:
        """Returns the id of the token with exactly this text, or None."""
        token_id: int | None = self._backend.token_to_id(token)
        return token_id

    def id_to_token(self, token_id: int) -> str | None:
        """Returns the text of a token as the vocabulary spells it, or None."""
        token: str | None = None
        if 0 <= token_id < 1 << 32:
            token = self._backend.id_to_token(token_id)
        return token

    def to_json(self) -> str:
        """Returns vocabulary and rules in the format of a `tokenizer.json`."""
        return str(self._backend.to_str())

    def detokenizer(self, *, skip_special_tokens: bool = False) -> StreamingDetokenizer:
        """Returns a new streaming detokenizer; making one costs next to nothing.

        Args:
            skip_special_tokens: whether special tokens add no text, as in `decode`.
        """
        if skip_special_tokens not in self._detokenizers:
            self._detokenizers[skip_special_tokens] = detokenizers_for(
                self._backend, skip_special_tokens=skip_special_tokens
            )
        return self._detokenizers[skip_special_tokens]()

    def apply_chat_template(
        self,
        messages: Sequence[Message],
        *,
        add_generation_prompt: bool | None = None,
        continue_final_message: bool = False,
        tools: Sequence[Tool] | None = None,
        documents: Sequence[Mapping[str, object]] | None = None,
        chat_template: str | None = None,
        variables: Mapping[str, object] | None = None,
    ) -> str:
        """Writes a conversation the way the model was trained to read it.

        Args:
            messages: mappings with `role` and `content`, and what else the template knows:
                `tool_calls`, `reasoning_content`.
            add_generation_prompt: whether to end with the head of an assistant's reply; by
                default unless `continue_final_message` is set.
            continue_final_message: whether to end inside the last message, so that the model
                goes on with it.
            tools: functions the model may call: JSON schemas, or Python functions with type
                hints and a docstring.
            documents: texts to answer from, as mappings with `title` and `text`.
            chat_template: the name of one of the model's templates, or the source of another.
            variables: further names for the template, such as `{"enable_thinking": False}`.

        Raises:
            ChatTemplateError: the model has no chat template, or it failed.

        Example:
            >>> tokenizer.apply_chat_template([{"role": "user", "content": "Hi"}])
            '<|im_start|>user\\nHi<|im_end|>\\n<|im_start|>assistant\\n'
        """
        return render_conversation(
            self._chat_templates,
            self._special_tokens,
            messages,
            add_generation_prompt=add_generation_prompt,
            continue_final_message=continue_final_message,
            tools=tools,
            documents=documents,
            chat_template=chat_template,
            variables=variables,
        ).text

    def apply_chat_template_ids(
        self,
        messages: Sequence[Message],
        *,
        add_generation_prompt: bool | None = None,
        continue_final_message: bool = False,
        tools: Sequence[Tool] | None = None,
        documents: Sequence[Mapping[str, object]] | None = None,
        chat_template: str | None = None,
        variables: Mapping[str, object] | None = None,
    ) -> list[int]:
        """Returns the ids of `apply_chat_template`; no special tokens are added to them."""
        text = self.apply_chat_template(
            messages,
            add_generation_prompt=add_generation_prompt,
            continue_final_message=continue_final_message,
            tools=tools,
            documents=documents,
            chat_template=chat_template,
            variables=variables,
        )
        return self.encode(text, add_special_tokens=False)

    def reply_parser(
        self,
        *,
        prompt: str = "",
        tools: Sequence[Tool] = (),
        chat_template: str | None = None,
        tool_format: str | None = None,
    ) -> ReplyParser:
        """Returns a parser that takes a reply apart into text, reasoning and calls of tools.

        Args:
            prompt: what the reply answers, as `apply_chat_template` wrote it: it may end with the
                tag that begins reasoning.
            tools: the functions the model may call.
            chat_template: the template the prompt was written with, as `apply_chat_template`
                takes it; how the model thinks and calls is read from it.
            tool_format: the name of the way the model writes calls; by default that which the
                model's files name, or else the one the template shows.

        Raises:
            ChatTemplateError: there is no such template.
            ValueError: there is no such format.
        """
        from .tools import ReplyParser, format_named, infer_format, infer_reasoning

        source = self._chat_templates.select(with_tools=bool(tools), wanted=chat_template).source
        reasoning = infer_reasoning(source)
        named = tool_format or self._tool_format
        return ReplyParser(
            format_named(named) if named else infer_format(source),
            reasoning,
            tools=tools,
            in_reasoning=reasoning is not None and reasoning.left_open_by(prompt),
        )

    def apply_chat_template_mask(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[Tool] | None = None,
        documents: Sequence[Mapping[str, object]] | None = None,
        chat_template: str | None = None,
        variables: Mapping[str, object] | None = None,
    ) -> tuple[list[int], list[int]]:
        """Returns the ids of a whole conversation, and which of them the assistant writes.

        The mask has 1 for tokens between `{% generation %}` and `{% endgeneration %}` in the
        template, and 0 for all others; training looks at the former only. A template without
        these tags marks nothing. Arguments and errors are those of `apply_chat_template`.
        """
        rendered = render_conversation(
            self._chat_templates,
            self._special_tokens,
            messages,
            add_generation_prompt=False,
            tools=tools,
            documents=documents,
            chat_template=chat_template,
            variables=variables,
        )
        encoded = self._backend.encode(rendered.text, add_special_tokens=False)
        mask = [0] * len(encoded.ids)
        place = 0
        for begin, finish in rendered.generated:
            while place < len(mask) and encoded.offsets[place][1] <= begin:
                place += 1
            while place < len(mask) and encoded.offsets[place][0] < finish:
                mask[place] = 1
                place += 1
        return list(encoded.ids), mask
