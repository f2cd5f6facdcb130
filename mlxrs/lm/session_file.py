"""A whole session in one file.

It is a prompt cache, see `mlxrs.lm.cache.files`, whose metadata holds the rest as JSON under
`mlxrs_session`, with the number of the format under `format`.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from ..errors import FormatError, PrefixLostError
from .cache import load_prompt_cache, save_prompt_cache, token_ids_of
from .fingerprint import fingerprint
from .messages import ChatMessage, Role
from .models import LanguageModel
from .params import GenConfig
from .prefix import CachedPrefix
from .session_settings import SessionSettings
from .transcript import Transcript
from .turn_options import TurnOptions

if TYPE_CHECKING:
    from ..tokenizer import Tokenizer

KEY = "mlxrs_session"
FORMAT = 1
# Settings that are functions, which no file can hold.
FUNCTIONS = ("logits_processors", "sampler")


@dataclass(frozen=True, slots=True)
class SavedSession:
    """All there is of a session beside its model and its tokenizer.

    Attributes:
        options: What may change from turn to turn.
        settings: The limits of the session.
        transcript: The messages.
        prefix: The caches; None where there are none.
    """

    options: TurnOptions
    settings: SessionSettings
    transcript: Transcript
    prefix: CachedPrefix | None


def save_session(
    path: str | os.PathLike[str], session: SavedSession, model: LanguageModel, tokenizer: Tokenizer
) -> None:
    """Write a session to a file, which appears whole or not at all.

    Args:
        path: The file; `.safetensors` is appended where it is missing.
        session: The session.
        model: Its model, which `load_session` must be given again.
        tokenizer: Its tokenizer, likewise.

    Raises:
        ValueError: The settings have functions.
        TypeError: A variable of the chat template is nothing JSON can hold.
        PrefixLostError: Nobody can tell any more what the caches hold.
        OSError: The file cannot be written.
    """
    prefix = session.prefix
    if prefix is not None and not prefix.exact:
        # What nobody can name is of no use to the next turn.
        if prefix.given:
            raise PrefixLostError
        prefix = None
    told = {
        "format": FORMAT,
        "instructions": session.options.instructions,
        "template_variables": dict(session.options.template_variables),
        "enable_thinking": session.options.enable_thinking,
        "thinking_budget": session.options.thinking_budget,
        "params": _params_to_json(session.options.params),
        "settings": asdict(session.settings),
        "messages": [message.to_dict() for message in session.transcript.messages],
        "begun": session.transcript.begun,
        "opaque": None if prefix is None else prefix.opaque,
    }
    save_prompt_cache(
        path,
        model.make_cache() if prefix is None else prefix.caches,
        {KEY: json.dumps(told, ensure_ascii=False)},
        token_ids=[] if prefix is None else prefix.known,
        fingerprint=fingerprint(model, tokenizer),
    )


def load_session(
    path: str | os.PathLike[str], model: LanguageModel, tokenizer: Tokenizer
) -> SavedSession:
    """Read a session from a file that `save_session` wrote.

    Raises:
        FileNotFoundError: There is no such file.
        FormatError: The file is no session, or is damaged.
        UnsupportedError: The session was held with another model or tokenizer.
    """
    caches, metadata = load_prompt_cache(path, fingerprint=fingerprint(model, tokenizer))
    name = os.fspath(path)
    if KEY not in metadata:
        raise FormatError(
            f"{name} holds a prompt cache and no session; load it with load_prompt_cache and give "
            "it to ChatSession as cache="
        )
    try:
        told = json.loads(metadata[KEY])
        _check_types(told)
        prefix = None
        if told["opaque"] is not None:
            if len(caches) != len(model.make_cache()):
                raise ValueError("it has not one cache for each layer of the model")
            known = token_ids_of(metadata) or []
            prefix = CachedPrefix.holding(caches, known, told["opaque"])
        return SavedSession(
            options=TurnOptions(
                told["instructions"],
                _params_from_json(told["params"]),
                told["template_variables"],
                told.get("enable_thinking"),
                told.get("thinking_budget"),
            ),
            settings=SessionSettings(**told["settings"]),
            transcript=Transcript(map(_message, told["messages"]), begun=told["begun"]),
            prefix=prefix,
        )
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise FormatError(f"{name} is no session: {error}") from None


def _check_types(told: object) -> None:
    if not isinstance(told, dict) or told.get("format") != FORMAT:
        raise ValueError(f"it must be a JSON object of format {FORMAT}")
    for name, kinds in _TYPES.items():
        if type(told.get(name)) not in kinds:
            raise ValueError(f"its {name} must be of {[kind.__name__ for kind in kinds]}")


_TYPES: dict[str, tuple[type, ...]] = {
    "instructions": (str, type(None)),
    "template_variables": (dict,),
    "enable_thinking": (bool, type(None)),
    "thinking_budget": (int, type(None)),
    "params": (dict,),
    "settings": (dict,),
    "messages": (list,),
    "begun": (bool,),
    "opaque": (int, type(None)),
}


def _message(told: dict[str, Any]) -> ChatMessage:
    content = told["content"]
    if not isinstance(content, (str, list)):
        raise ValueError("the content of a message must be a text or a list")
    for name in ("name", "tool_call_id"):
        if not isinstance(told.get(name), (str, type(None))):
            raise ValueError(f"the {name} of a message must be a text")
    calls = told.get("tool_calls", [])
    if not isinstance(calls, list):
        raise ValueError("the tool_calls of a message must be a list")
    return ChatMessage(
        Role(told["role"]), content, told.get("name"), told.get("tool_call_id"), calls
    )


def _params_to_json(params: GenConfig) -> dict[str, object]:
    for name in FUNCTIONS:
        if getattr(params, name):
            raise ValueError(
                f"params.{name} must be empty in a session that is saved, because no file holds "
                "functions; take it out, and set it again after loading"
            )
    values = {field.name: getattr(params, field.name) for field in fields(params)}
    # JSON has no whole numbers as keys.
    values["logit_bias"] = list(params.logit_bias.items())
    return {name: value for name, value in values.items() if name not in FUNCTIONS}


def _params_from_json(told: dict[str, object]) -> GenConfig:
    values: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in told.items()
    }
    values["logit_bias"] = dict(values.get("logit_bias", ()))
    if values.keys() & set(FUNCTIONS):
        raise ValueError("its params hold what should be functions")
    params = GenConfig(**values)
    params.validate()
    return params
