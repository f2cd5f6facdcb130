"""From logits to tokens: what a request does to the scores, and how it draws from them.

A request's logits pass these stages, each only where its setting asks for it:

1. `logit_bias` is added.
2. `repetition_penalty`, `presence_penalty`, `frequency_penalty`, then DRY lower what was said.
3. The request's own `logits_processors`, in their order.
4. A `grammar` forbids what does not fit it.
5. `top_p`, `min_p`, `typical_p`, XTC, then `top_k` forbid unlikely tokens (XTC: the likeliest).
   All of them judge the probabilities before the temperature.
6. `temp` flattens or sharpens what is left, and a token is drawn; at temperature 0 the likeliest
   token is taken, without stages 5 and 6. Mirostat stands for both stages where it is on.

Everything but the grammar is lazy: nothing waits for a token to be known.
"""

from .chain import (
    LogitsProcessor,
    Sampler,
    fresh_seed,
    make_distribution,
    make_logits_processors,
    make_sampler,
    sample_rows,
    sampling_kind,
)
from .filters import apply_min_p, apply_top_k, apply_top_p, apply_typical_p, apply_xtc
from .history import TokenHistory
from .penalties import (
    apply_dry_penalty,
    apply_frequency_penalty,
    apply_logit_bias,
    apply_presence_penalty,
    apply_repetition_penalty,
)
from .random import categorical, greedy, step_key

__all__ = [
    "LogitsProcessor",
    "Sampler",
    "TokenHistory",
    "apply_dry_penalty",
    "apply_frequency_penalty",
    "apply_logit_bias",
    "apply_min_p",
    "apply_presence_penalty",
    "apply_repetition_penalty",
    "apply_top_k",
    "apply_top_p",
    "apply_typical_p",
    "apply_xtc",
    "categorical",
    "fresh_seed",
    "greedy",
    "make_distribution",
    "make_logits_processors",
    "make_sampler",
    "sample_rows",
    "sampling_kind",
    "step_key",
]
