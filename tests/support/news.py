"""News texts out of a published package."""

from __future__ import annotations

from support.published import sdist_members

_FILE = "lee_background.cor"


def news() -> str:
    """Returns 300 articles in English, one a line."""
    folder = sdist_members(
        "gensim",
        "gensim-4.4.0.tar.gz",
        "a3f5b626da5518e79a479140361c663089fe7998df8ba52d56e1ded71ac5bdf5",
        (f"gensim-4.4.0/gensim/test/test_data/{_FILE}",),
    )
    return (folder / _FILE).read_text(encoding="utf-8")
