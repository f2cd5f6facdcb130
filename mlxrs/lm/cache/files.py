"""Prompt caches in files, in the layout of mlx-lm.

A safetensors file holds the arrays of every cache under their place in its tree, `cache.i.j…`
without the word, and in its metadata, under numbers in front of the names:

- `0.<key>`: the caller's metadata;
- `1.<i>`: the class of cache i;
- `2.0`: nothing; `2.<n>.0` and `2.<n>.1`: the place of something that is no array but stored as
  one, and what it is: "scalar", "string" or "none".

Files of mlx-lm before 0.32 are read too. They have the numbers of each cache as strings under
`0.<i>.<j>`, the caller's metadata under `1.<key>` and the classes under `2.<i>`.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import cast

import mlxc as mx

from ...errors import FormatError, UnsupportedError
from .base import Cache
from .kinds import cache_kind
from .layouts import Leaf, Tree, from_tree, to_tree

MAX_BYTES = 64 * 2**30
MAX_DEPTH = 64
TOKEN_IDS = "mlxrs_token_ids"
FINGERPRINT = "mlxrs_fingerprint"


def save_prompt_cache(
    path: str | os.PathLike[str],
    caches: Sequence[Cache],
    metadata: Mapping[str, str] | None = None,
    *,
    token_ids: Sequence[int] | None = None,
    fingerprint: str | None = None,
) -> None:
    """Save the caches of a model; the file appears whole or not at all.

    mlx-lm can read it, but for packed rotating caches, which it does not have.

    Args:
        path: The file; `.safetensors` is appended where it is missing.
        caches: The caches, one a layer.
        metadata: Names to strings, kept beside them.
        token_ids: The tokens the caches hold.
        fingerprint: Which model filled them; `load_prompt_cache` can insist on it.

    Raises:
        ValueError: `metadata` has a name of mlxrs' own.
        OSError: The file cannot be written.

    Example:
        save_prompt_cache("system.safetensors", caches, {"model": name}, token_ids=ids)
    """
    given = dict(metadata or {})
    if reserved := given.keys() & {TOKEN_IDS, FINGERPRINT}:
        raise ValueError(
            f"metadata must not have the names {sorted(reserved)}; use token_ids and fingerprint"
        )
    if token_ids is not None:
        given[TOKEN_IDS] = ",".join(str(int(token)) for token in token_ids)
    if fingerprint is not None:
        given[FINGERPRINT] = fingerprint
    arrays: dict[str, mx.array] = {}
    texts = {f"0.{key}": value for key, value in given.items()}
    texts |= {f"1.{i}": type(cache).__name__ for i, cache in enumerate(caches)}
    texts["2.0"] = ""
    others = 0
    for place, leaf in _leaves([to_tree(cache) for cache in caches]):
        arrays[place], kind = _as_array(leaf)
        if kind:
            others += 1
            texts |= {f"2.{others}.0": place, f"2.{others}.1": kind}
    mx.save_safetensors(os.fspath(path), arrays, texts)


def load_prompt_cache(
    path: str | os.PathLike[str],
    *,
    fingerprint: str | None = None,
    max_bytes: int = MAX_BYTES,
) -> tuple[list[Cache], dict[str, str]]:
    """Load the caches of a model from a file of mlxrs or mlx-lm.

    Everything is read and checked before anything is returned.

    Args:
        path: The file; `.safetensors` may be left out, as in saving.
        fingerprint: Which model must have filled the caches; None for any, and a file that does
            not tell is taken as it is.
        max_bytes: The largest file to read.

    Returns:
        The caches, one a layer, and the metadata; `token_ids_of` reads the token ids in it.

    Raises:
        FileNotFoundError: There is no such file.
        FormatError: The file is no prompt cache, is damaged, or larger than `max_bytes`.
        UnsupportedError: It holds a kind of cache that is not known here, or was filled by
            another model.
    """
    name = os.fspath(path)
    if not os.path.exists(name) and os.path.exists(f"{name}.safetensors"):
        name = f"{name}.safetensors"
    arrays, texts = _read(name, max_bytes)
    try:
        if texts.get("2.0") == "":
            caches, metadata = _read_new(arrays, texts)
        else:
            caches, metadata = _read_old(arrays, texts)
        if TOKEN_IDS in metadata:
            token_ids_of(metadata)
    except UnsupportedError as error:
        raise UnsupportedError(f"{name}: {error}") from None
    except (ValueError, OverflowError) as error:
        raise FormatError(f"{name} is no prompt cache: {error}") from None
    found = metadata.get(FINGERPRINT)
    if fingerprint is not None and found not in (None, fingerprint):
        raise UnsupportedError(
            f"{name} was filled by another model ({str(found)[:80]!r}, not {fingerprint!r}); make "
            "a new one"
        )
    return caches, metadata


def token_ids_of(metadata: Mapping[str, str]) -> list[int] | None:
    """Return the token ids in the metadata of a prompt cache; None where there are none.

    Raises:
        ValueError: They are no numbers.
    """
    text = metadata.get(TOKEN_IDS)
    if text is None:
        return None
    if re.fullmatch(r"([0-9]{1,10}(,[0-9]{1,10})*)?", text) is None:
        raise ValueError(f"{TOKEN_IDS} must be numbers with commas between them")
    return [int(number) for number in text.split(",")] if text else []


def _read(name: str, max_bytes: int) -> tuple[dict[str, mx.array], dict[str, str]]:
    if os.path.isdir(name):
        raise IsADirectoryError(f"{name} is a folder; name a file in it")
    # Not blocking, so that a pipe in place of the file is refused and not waited for.
    descriptor = os.open(name, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise FormatError(f"{name} is no regular file")
        if status.st_size > max_bytes:
            raise FormatError(
                f"{name} has {status.st_size} bytes, {max_bytes} are allowed; raise max_bytes"
            )
        try:
            loaded = mx.load(file, format="safetensors", return_metadata=True)
        except ValueError as error:
            raise FormatError(str(error).replace(str(descriptor), name, 1)) from None
    return cast("tuple[dict[str, mx.array], dict[str, str]]", loaded)


def _read_new(
    arrays: dict[str, mx.array], texts: dict[str, str]
) -> tuple[list[Cache], dict[str, str]]:
    leaves: dict[str, Leaf] = dict(arrays)
    for number, pair in _groups(texts, "2", skip="0").items():
        place, kind = pair.get("0", ""), pair.get("1", "")
        if place not in arrays or kind not in _CONVERSIONS:
            raise ValueError(f"its metadata 2.{number} names no array or no known type")
        leaves[place] = _CONVERSIONS[kind](arrays[place])
    names = _names(texts, "1")
    trees = _trees(leaves, len(names))
    metadata = {key[2:]: text for key, text in texts.items() if key.startswith("0.")}
    caches = [
        _checked(i, name, partial(from_tree, name, tree))
        for i, (name, tree) in enumerate(zip(names, trees, strict=True))
    ]
    return caches, metadata


def _read_old(
    arrays: dict[str, mx.array], texts: dict[str, str]
) -> tuple[list[Cache], dict[str, str]]:
    names = _names(texts, "2")
    trees = _trees(dict(arrays), len(names))
    metas = _groups(texts, "0")
    if any(not key.isdecimal() or int(key) >= len(names) for key in metas):
        raise ValueError("its metadata has numbers of a cache that is not there")
    caches = []
    for i, (name, tree) in enumerate(zip(names, trees, strict=True)):
        meta = metas.get(str(i), {"": ""})
        # One empty string under the cache itself stands for no numbers at all.
        words = [] if list(meta) == [""] else [meta.get(str(j), "") for j in range(len(meta))]
        state = cast("list[mx.array]", [leaf for _, leaf in _leaves(tree)])
        caches.append(_checked(i, name, partial(_from_state, name, state, words)))
    return caches, {key[2:]: text for key, text in texts.items() if key.startswith("1.")}


def _from_state(name: str, state: Sequence[mx.array], meta: Sequence[str]) -> Cache:
    return cache_kind(name).from_state(state, meta)


def _checked(number: int, name: str, build: Callable[[], Cache]) -> Cache:
    try:
        return build()
    except UnsupportedError:
        raise
    except ValueError as error:
        raise ValueError(f"cache {number} ({name[:80]}): {error}") from None


def _names(texts: Mapping[str, str], group: str) -> list[str]:
    """Return the classes, one a cache."""
    found = {key[2:]: text for key, text in texts.items() if key.startswith(f"{group}.")}
    names = [found[str(i)] for i in range(len(found)) if str(i) in found]
    if not names or len(names) != len(found):
        raise ValueError("its metadata does not name the class of every cache")
    return names


def _groups(
    texts: Mapping[str, str], group: str, skip: str | None = None
) -> dict[str, dict[str, str]]:
    """Return what lies under `group.<n>.<m>` as n → m → text."""
    groups: dict[str, dict[str, str]] = {}
    for key, text in texts.items():
        first, _, rest = key.partition(".")
        number, _, place = rest.partition(".")
        if first == group and number != skip:
            groups.setdefault(number, {})[place] = text
    return groups


def _leaves(tree: Tree, place: str = "") -> Iterable[tuple[str, Leaf]]:
    if isinstance(tree, list):
        for i, branch in enumerate(tree):
            yield from _leaves(branch, f"{place}.{i}" if place else str(i))
    else:
        yield place, tree


def _trees(leaves: Mapping[str, Leaf], count: int) -> list[Tree]:
    """Return one tree a cache, put together from leaves by their places."""
    root: dict[int, object] = {}
    for place, leaf in leaves.items():
        parts = place.split(".")
        if len(parts) > MAX_DEPTH or any(
            re.fullmatch(r"0|[1-9][0-9]{0,6}", part) is None for part in parts
        ):
            raise ValueError(f"the array name {place[:80]!r} is no place in a cache")
        branch = root
        for part in parts[:-1]:
            below = branch.setdefault(int(part), {})
            if not isinstance(below, dict):
                raise ValueError(f"the array {place[:80]!r} lies within another")
            branch = below
        if int(parts[-1]) in branch:
            raise ValueError(f"the array {place[:80]!r} lies around another")
        branch[int(parts[-1])] = leaf
    if any(number >= count for number in root):
        raise ValueError(f"it has arrays of a cache {max(root)}, but classes of {count} alone")
    return [_dense(root.get(number, {})) for number in range(count)]


def _dense(branch: object) -> Tree:
    if not isinstance(branch, dict):
        return cast("Leaf", branch)
    if branch and max(branch) != len(branch) - 1:
        raise ValueError("the arrays of a cache are not counted from 0 without holes")
    return [_dense(branch[number]) for number in range(len(branch))]


def _as_array(leaf: Leaf) -> tuple[mx.array, str]:
    if isinstance(leaf, mx.array):
        return leaf, ""
    if leaf is None:
        return mx.zeros((0,)), "none"
    if isinstance(leaf, str):
        return mx.array([ord(letter) for letter in leaf]), "string"
    return mx.array(leaf), "scalar"


def _scalar(array: mx.array) -> int:
    if array.size != 1 or not (array.dtype == mx.bool_ or mx.issubdtype(array.dtype, mx.integer)):
        raise ValueError("a scalar must be one integer or truth value")
    number: int = array.item()
    return number


def _string(array: mx.array) -> str:
    if array.ndim != 1 or array.size > 256 or not mx.issubdtype(array.dtype, mx.integer):
        raise ValueError("a string must be a row of 256 letters at most")
    letters: list[int] = array.tolist()
    if not all(0 < letter < 128 for letter in letters):
        raise ValueError("a string must be of ASCII letters")
    return "".join(map(chr, letters))


_CONVERSIONS: dict[str, Callable[[mx.array], Leaf]] = {
    "scalar": _scalar,
    "string": _string,
    "none": lambda array: None,
}
