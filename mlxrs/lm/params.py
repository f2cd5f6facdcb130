"""How to generate: the settings of a request, checked in one place."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import mlxc as mx

# (logprobs (B, V)) -> token ids (B,)
CustomSampler: TypeAlias = Callable[[mx.array], mx.array]
# (tokens (L,), logits (B, V)) -> logits (B, V)
CustomProcessor: TypeAlias = Callable[[mx.array, mx.array], mx.array]


@dataclass(slots=True)
class GenConfig:
    """The settings of a generation; assign to its fields at will, they are checked on use.

    The order in which those of sampling apply is told in `mlxrs.lm.sample`. The windows of
    penalties begin with the last token of the prompt; a window of 0 is all from there on.

    Attributes:
        max_tokens: The most tokens to generate; 0 generates nothing and calls no model.
        prefill_step_size: The most prompt tokens the model reads at once. Smaller needs less
            memory, larger is faster; on a CPU more than 256 are not, and count as 256.
        temp: 0 takes the likeliest token; above, tokens are drawn from softmax(logits / temp).
        top_p: Keep the likeliest tokens that together reach this probability; 0 and 1 keep all.
        min_p: Forbid tokens below this part of the likeliest one's probability; 0 forbids none.
        min_tokens_to_keep: How many tokens `min_p` leaves in any case.
        typical_p: Keep the tokens of the most typical surprise up to this probability; 0 and 1
            keep all.
        top_k: Keep this many of the likeliest tokens; 0 keeps all.
        xtc_probability: How often to forbid all likely tokens but the least likely; 0 is never.
        xtc_threshold: Tokens above this probability are likely to XTC.
        xtc_special_tokens: Ids that XTC never forbids.
        mirostat_tau: The surprise, in bits, that Mirostat 2 steers to; None is off. It replaces
            all settings from `top_p` to here.
        mirostat_eta: How fast Mirostat learns.
        logit_bias: What to add to the logits of token ids; -inf forbids one.
        repetition_penalty: Divide the positive and multiply the negative logits of tokens said
            in the last `repetition_context_size`; None and 0 are off.
        repetition_context_size: The window of `repetition_penalty`.
        presence_penalty: Subtract from the logits of tokens in the window, once each.
        presence_context_size: The window of `presence_penalty`.
        frequency_penalty: Subtract from the logits of tokens for each time in the window.
        frequency_context_size: The window of `frequency_penalty`.
        dry_multiplier: Lower what would go on with a sequence said before; 0 is off.
        dry_base: How the DRY penalty grows with the length of the repetition.
        dry_allowed_length: The length of a repetition at which the DRY penalty begins.
        dry_context_size: The window in which DRY looks for repetitions.
        dry_breakers: Ids that end a sequence for DRY.
        logits_processors: Functions of the tokens `(L,)` since the last of the prompt and logits
            `(B, V)`, returning logits; called after the built-in ones.
        sampler: A function of log-probabilities `(B, V)` that returns token ids `(B,)`, in place
            of the built-in sampling; `temp` and what follows it do not count then.
        eos: Ids that end the generation beside those of the tokenizer.
        stop_strings: Texts that end the generation and are left out of it.
        seed: Makes the draws repeatable; None draws differently every time.
        collect_logprobs: Whether responses carry the log-probability of their token.
        top_logprobs: How many of the likeliest tokens' log-probabilities they carry as well.
    """

    max_tokens: int = 256
    prefill_step_size: int = 2048
    temp: float = 0.0
    top_p: float = 0.0
    min_p: float = 0.0
    min_tokens_to_keep: int = 1
    typical_p: float = 0.0
    top_k: int = 0
    xtc_probability: float = 0.0
    xtc_threshold: float = 0.0
    xtc_special_tokens: Sequence[int] = ()
    mirostat_tau: float | None = None
    mirostat_eta: float = 0.1
    logit_bias: Mapping[int, float] = field(default_factory=dict)
    repetition_penalty: float | None = None
    repetition_context_size: int = 20
    presence_penalty: float | None = None
    presence_context_size: int = 20
    frequency_penalty: float | None = None
    frequency_context_size: int = 20
    dry_multiplier: float = 0.0
    dry_base: float = 1.75
    dry_allowed_length: int = 2
    dry_context_size: int = 1024
    dry_breakers: Sequence[int] = ()
    logits_processors: Sequence[CustomProcessor] = ()
    sampler: CustomSampler | None = None
    eos: Sequence[int] = ()
    stop_strings: Sequence[str] = ()
    seed: int | None = None
    collect_logprobs: bool = False
    top_logprobs: int = 0

    def validate(self) -> None:
        """Raise ValueError, naming field, rule, value and remedy, unless every field is valid."""
        self._check_integer("max_tokens", 0, "0 generates nothing")
        self._check_integer("prefill_step_size", 1, "2048 suits most machines")
        self._check_number("temp", 0, math.inf, "0 takes the likeliest token")
        self._check_number("top_p", 0, 1, "0 keeps all")
        self._check_number("min_p", 0, 1, "0 keeps all")
        self._check_integer("min_tokens_to_keep", 1, "1 is the least")
        self._check_number("typical_p", 0, 1, "0 keeps all")
        self._check_integer("top_k", 0, "0 keeps all")
        self._check_number("xtc_probability", 0, 1, "0 is never")
        self._check_number("xtc_threshold", 0, 0.5, "0.1 is usual")
        self._check_ids("xtc_special_tokens")
        self._check_mirostat()
        self._check_bias()
        if self.repetition_penalty is not None:
            self._check_number("repetition_penalty", 0, math.inf, "None is off")
        for name in ("presence_penalty", "frequency_penalty"):
            if getattr(self, name) is not None:
                self._check_number(name, -math.inf, math.inf, "None is off")
        for name in ("repetition", "presence", "frequency", "dry"):
            self._check_integer(f"{name}_context_size", 0, "0 is the whole reply")
        self._check_number("dry_multiplier", 0, math.inf, "0 is off")
        self._check_number("dry_base", 1, math.inf, "1.75 is usual")
        self._check_integer("dry_allowed_length", 1, "2 is usual")
        self._check_ids("dry_breakers")
        self._check_callables()
        self._check_ids("eos")
        self._check_stop_strings()
        if self.seed is not None:
            self._check_integer("seed", 0, "None draws differently every time")
            if self.seed >= 2**64:
                raise ValueError(
                    f"seed must be an integer below 2**64, got {self.seed}; use a smaller one"
                )
        self._check_integer("top_logprobs", 0, "0 collects none")

    def _check_integer(self, name: str, least: int, hint: str) -> None:
        value = getattr(self, name)
        if not _is_integer(value) or value < least:
            raise ValueError(f"{name} must be an integer >= {least}, got {value!r}; {hint}")

    def _check_number(self, name: str, least: float, most: float, hint: str) -> None:
        value = getattr(self, name)
        if not _is_number(value) or not math.isfinite(value) or not least <= value <= most:
            rule = "" if least == -math.inf else f" >= {least}"
            rule += "" if most == math.inf else f" and <= {most}"
            raise ValueError(f"{name} must be a finite number{rule}, got {value!r}; {hint}")

    def _check_ids(self, name: str) -> None:
        value = getattr(self, name)
        if not _is_collection(value) or not all(_is_integer(i) and i >= 0 for i in value):
            raise ValueError(f"{name} must be token ids, integers >= 0, got {value!r}; () for none")

    def _check_mirostat(self) -> None:
        if self.mirostat_tau is None:
            return
        self._check_number("mirostat_tau", 0, math.inf, "5.0 is usual, None is off")
        self._check_number("mirostat_eta", 0, math.inf, "0.1 is usual")
        if 0 in (self.mirostat_tau, self.mirostat_eta):
            raise ValueError(
                "mirostat_tau and mirostat_eta must be above 0, got "
                f"{self.mirostat_tau!r} and {self.mirostat_eta!r}; 5.0 and 0.1 are usual"
            )
        for name in ("top_p", "min_p", "typical_p", "top_k", "xtc_probability"):
            if getattr(self, name):
                raise ValueError(
                    f"{name} must be 0 with mirostat_tau, which replaces it, got "
                    f"{getattr(self, name)!r}; use one of them"
                )

    def _check_bias(self) -> None:
        if not isinstance(self.logit_bias, Mapping):
            raise ValueError(
                "logit_bias must be a mapping of token ids to numbers, got "
                f"{self.logit_bias!r}; {{}} for none"
            )
        for key, value in self.logit_bias.items():
            if not _is_integer(key) or key < 0 or not _is_number(value) or not value < math.inf:
                raise ValueError(
                    "logit_bias must map token ids to numbers below infinity, got "
                    f"{key!r}: {value!r}; -inf forbids a token"
                )

    def _check_callables(self) -> None:
        if self.sampler is not None and not callable(self.sampler):
            raise ValueError(f"sampler must be callable, got {self.sampler!r}; None for none")
        if callable(self.logits_processors) or not all(map(callable, self.logits_processors)):
            raise ValueError(
                "logits_processors must be a sequence of callables, got "
                f"{self.logits_processors!r}; () for none"
            )

    def _check_stop_strings(self) -> None:
        stops = self.stop_strings
        if not _is_collection(stops) or not all(isinstance(stop, str) for stop in stops):
            raise ValueError(
                f"stop_strings must be a sequence of texts, got {stops!r}; () for none"
            )


def _is_collection(value: object) -> bool:
    return isinstance(value, Collection) and not isinstance(value, (str, bytes))


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
