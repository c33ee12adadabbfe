"""The pages: the Python code of README.md and docs/ runs, and links lead to files."""

import re
from pathlib import Path

import pytest

from skcoral.datasets import load_movies

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CODE = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def read_code(page):
    """Return the Python code of a page."""
    return "\n".join(CODE.findall(page.read_text("utf-8")))


def load_some(**keywords):
    """Return the first films only."""
    movies = load_movies(**keywords)
    movies.data, movies.target = movies.data[:4000], movies.target[:4000]
    return movies


@pytest.mark.parametrize(
    "page", [p for p in PAGES if read_code(p)], ids=lambda p: str(p.relative_to(ROOT))
)
def test_code_runs(page, monkeypatch):
    pytest.importorskip("pandas")
    monkeypatch.setattr("skcoral.datasets.load_movies", load_some)
    # One pass over the rows where a page leaves the number to "auto".
    monkeypatch.setattr("skcoral._training.trainer.MIN_EPOCHS", 1)
    monkeypatch.setattr("skcoral._training.trainer.MAX_EPOCHS", 1)
    exec(compile(read_code(page), str(page), "exec"), {})


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_lead_to_files(page):
    for link in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / link).exists(), link
