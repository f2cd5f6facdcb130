"""Random numbers from keys.

A function with a `key` always gives the same numbers for it; `split` makes independent keys of
one. Without a key it takes the next of the calling thread's sequence, which `seed` starts
again. The generator is Threefry (Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3",
2011). Every function of numbers takes `stream`, the stream or device to run on; None is the
default.
"""

from __future__ import annotations

from ._continuous import gumbel, laplace, multivariate_normal, normal, truncated_normal, uniform
from ._discrete import bernoulli, categorical, permutation, randint
from ._key import key, seed, split, state

__all__ = [
    "bernoulli",
    "categorical",
    "gumbel",
    "key",
    "laplace",
    "multivariate_normal",
    "normal",
    "permutation",
    "randint",
    "seed",
    "split",
    "state",
    "truncated_normal",
    "uniform",
]
