"""The repository: sizes of files, names of modules, widths of pages."""

from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Words of the field that end like an act and are things.
NOUNS = {"embedding", "training"}


def list_files(*folders, suffix=".py"):
    """Return the files of some folders, by their path from the root."""
    files = (path for name in folders for path in (ROOT / name).rglob(f"*{suffix}"))
    return sorted(str(path.relative_to(ROOT)) for path in files)


def read_lines(name):
    return (ROOT / name).read_text(encoding="utf-8").splitlines()


MODULES = list_files("skcoral")
TESTS = list_files("tests")
PAGES = [*(path.name for path in ROOT.glob("*.md")), *list_files("docs", suffix=".md")]


def test_the_files_are_found():
    assert len(MODULES) > 60
    assert len(TESTS) > 50
    assert {"README.md", "CONTRIBUTING.md", "CHANGELOG.md"} <= set(PAGES)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_has_400_lines_at_most_and_says_what_it_is(name):
    lines = read_lines(name)
    assert len(lines) <= 400
    assert lines[0].startswith('"""')


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_named_by_a_thing(name):
    words = Path(name).stem.strip("_").split("_")
    assert not any(w.endswith("ing") and w not in NOUNS for w in words)


@pytest.mark.parametrize("name", TESTS)
def test_a_test_module_has_500_lines_at_most(name):
    assert len(read_lines(name)) <= 500


def test_the_readme_is_one_screen():
    lines = read_lines("README.md")
    assert len(lines) <= 120
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("name", PAGES)
def test_a_page_has_lines_of_120_characters_at_most(name):
    assert max(map(len, read_lines(name))) <= 120
