"""What each GGUF architecture calls its hyperparameters and tensors, in Hugging Face's words.

`ARCHITECTURES` is the whole list of what can be read; a new one is a new entry.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from struct import pack
from typing import NoReturn, cast

from mlxc.gguf import GgufFile

from ..errors import FormatError, UnsupportedError

_LAYER = re.compile(r"blk\.(0|[1-9][0-9]{0,4})\.(\w+)\.(weight|bias)")
_TOP = re.compile(r"(\w+)\.(weight|bias)")


@dataclass(frozen=True)
class GgufArchitecture:
    """One architecture of GGUF files.

    `config` builds the Hugging Face configuration; `top_names` and `layer_names` map module names;
    `interleaved_rope` names the layer modules whose rows are ordered for rotary pairs (2i, 2i + 1),
    with the configuration key of their number of heads.
    """

    config: Callable[[GgufFile], dict[str, object]]
    top_names: Mapping[str, str]
    layer_names: Mapping[str, str]
    interleaved_rope: Mapping[str, str]

    def rename(self, file: str, name: str) -> str:
        """Returns the Hugging Face name of the tensor `name`.

        Raises:
            UnsupportedError: the architecture has no such tensor.
        """
        if match := _LAYER.fullmatch(name):
            layer, module, leaf = match.groups()
            if module in self.layer_names:
                return f"model.layers.{layer}.{self.layer_names[module]}.{leaf}"
        elif match := _TOP.fullmatch(name):
            module, leaf = match.groups()
            if module in self.top_names:
                return f"{self.top_names[module]}.{leaf}"
        known = ", ".join([*self.top_names, *(f"blk.N.{key}" for key in self.layer_names)])
        raise UnsupportedError(
            f"{file}: tensor {name} has no place in this architecture; known are {known}"
        )

    def rope_heads(self, name: str, config: Mapping[str, object]) -> int:
        """Returns the heads over which the rows of `name` are interleaved, 0 if they are not."""
        match = _LAYER.fullmatch(name)
        key = self.interleaved_rope.get(match.group(2)) if match else None
        return cast(int, config[key]) if key else 0


def architecture_of(file: GgufFile) -> GgufArchitecture:
    """Returns the entry for `general.architecture`.

    Raises:
        FormatError: the key is missing.
        UnsupportedError: the architecture is not known.
    """
    name = _Fields(file).text("general.architecture")
    if name not in ARCHITECTURES:
        known = ", ".join(sorted(ARCHITECTURES))
        raise UnsupportedError(
            f"{file.name}: architecture {name[:40]!r} is not known; known are: {known}"
        )
    return ARCHITECTURES[name]


class _Fields:
    """Typed, checked access to the metadata."""

    def __init__(self, file: GgufFile) -> None:
        self.file = file.name
        self._metadata = file.metadata

    def text(self, key: str, default: str | None = None) -> str:
        value = self._metadata.get(key, default)
        if not isinstance(value, str):
            self._fail(key, "a string", value)
        return value

    def integer(self, key: str, default: int | None = None) -> int:
        value = self._metadata.get(key, default)
        if type(value) is not int or value <= 0:
            self._fail(key, "a positive integer", value)
        return value

    def number(self, key: str, default: float | None = None) -> float:
        value = self._metadata.get(key, default)
        if not isinstance(value, int | float) or not 0 < value < float("inf"):
            self._fail(key, "a positive number", value)
        return _as_written(value)

    def optional_integer(self, key: str) -> int | None:
        return self.integer(key) if key in self._metadata else None

    def _fail(self, key: str, rule: str, value: object) -> NoReturn:
        raise FormatError(
            f"{self.file}: metadata {key} must be {rule}, got {str(value)[:80]!r}; "
            "the file is damaged or was converted by a broken tool: convert it again"
        )


def _as_written(value: float) -> float:
    """Returns 1e-05 for the float32 that is 9.999999747378752e-06."""
    try:
        stored = pack("<f", value)
    except OverflowError:
        return value
    texts = (f"{value:.{digits}g}" for digits in range(1, 10))
    return next(float(text) for text in texts if pack("<f", float(text)) == stored)


def _decoder_config(file: GgufFile, name: str, class_name: str) -> dict[str, object]:
    fields = _Fields(file)
    heads = fields.integer(f"{name}.attention.head_count")
    hidden = fields.integer(f"{name}.embedding_length")
    head_dim = fields.integer(f"{name}.attention.key_length", max(hidden // heads, 1))
    _require(fields, f"{name}.attention.value_length", head_dim)
    _require(fields, f"{name}.rope.dimension_count", head_dim)
    if file.metadata.get(f"{name}.expert_count"):
        raise UnsupportedError(
            f"{file.name}: mixture-of-experts {name} files are not read; use a dense model"
        )
    if "token_embd.weight" not in file.tensors:
        raise FormatError(
            f"{file.name}: tensor token_embd.weight must be present; the file holds a vocabulary "
            "only, or is one part of a split model: use a whole model file"
        )
    return {
        "model_type": name,
        "architectures": [class_name],
        "hidden_size": hidden,
        "num_hidden_layers": fields.integer(f"{name}.block_count"),
        "intermediate_size": fields.integer(f"{name}.feed_forward_length"),
        "num_attention_heads": heads,
        "num_key_value_heads": fields.integer(f"{name}.attention.head_count_kv", heads),
        "head_dim": head_dim,
        "hidden_act": "silu",
        "rms_norm_eps": fields.number(f"{name}.attention.layer_norm_rms_epsilon"),
        "vocab_size": file.tensors["token_embd.weight"].shape[0],
        "rope_theta": fields.number(f"{name}.rope.freq_base", 10000.0),
        "rope_scaling": _rope_scaling(fields, name),
        "max_position_embeddings": fields.integer(f"{name}.context_length"),
        "attention_bias": "blk.0.attn_q.bias" in file.tensors,
        "mlp_bias": "blk.0.ffn_up.bias" in file.tensors,
        "tie_word_embeddings": "output.weight" not in file.tensors,
    }


def _require(fields: _Fields, key: str, expected: int) -> None:
    value = fields.integer(key, expected)
    if value != expected:
        raise UnsupportedError(
            f"{fields.file}: metadata {key} must equal the head dimension {expected}, got {value}; "
            "such files are not read"
        )


def _rope_scaling(fields: _Fields, name: str) -> dict[str, object] | None:
    kind = fields.text(f"{name}.rope.scaling.type", "none")
    if kind == "none":
        return None
    if kind == "linear":
        return {"rope_type": "linear", "factor": fields.number(f"{name}.rope.scaling.factor")}
    raise UnsupportedError(
        f"{fields.file}: rope scaling {kind[:40]!r} is not read; known are: none, linear"
    )


_TOP_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
}
_LAYER_NAMES = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}

ARCHITECTURES: dict[str, GgufArchitecture] = {
    "llama": GgufArchitecture(
        config=partial(_decoder_config, name="llama", class_name="LlamaForCausalLM"),
        top_names=_TOP_NAMES,
        layer_names=_LAYER_NAMES,
        interleaved_rope={
            "attn_q": "num_attention_heads",
            "attn_k": "num_key_value_heads",
        },
    ),
    "qwen3": GgufArchitecture(
        config=partial(_decoder_config, name="qwen3", class_name="Qwen3ForCausalLM"),
        top_names=_TOP_NAMES,
        layer_names=_LAYER_NAMES
        | {"attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm"},
        interleaved_rope={},
    ),
}
