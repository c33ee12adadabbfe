"""The tables of README.md and docs/ are those of the files in benchmarks/results."""

import shutil

import pytest
from write_tables import (
    FIELDS,
    MARKED,
    RESULTS,
    ROOT,
    TABLES,
    Table,
    find_pages,
    main,
    read_results,
    render_table,
    write_tables,
)

PAGES = {
    page.relative_to(ROOT).as_posix(): page.read_text("utf-8") for page in find_pages()
}
FILES = sorted(RESULTS.glob("*.csv"))


@pytest.mark.parametrize("text", PAGES.values(), ids=PAGES)
def test_pages_have_the_tables_of_the_results(text):
    assert write_tables(text) == text
    assert text.count("<!-- table: ") == len(MARKED.findall(text))


def test_every_table_is_on_one_page():
    shown = [name for text in PAGES.values() for _, name, _ in MARKED.findall(text)]
    assert sorted(shown) == sorted(TABLES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_has_all_comments_and_serves_a_table(path):
    records, notes = read_results(path)
    assert records
    assert tuple(notes) == FIELDS
    assert all(notes.values())
    assert path.stem in {table.file for table in TABLES.values()}


def test_every_record_is_in_a_table():
    for path in FILES:
        tables = [t for t in TABLES.values() if t.file == path.stem]
        for record in read_results(path)[0]:
            assert any(
                all(record[k] in values for k, values in table.where.items())
                for table in tables
            ), (path.stem, record)


def test_a_changed_number_is_noticed(tmp_path):
    folder = shutil.copytree(RESULTS, tmp_path / "results")
    page = PAGES["docs/results.md"]
    assert write_tables(page, folder) == page
    path = folder / "trifeatures.csv"
    path.write_text(path.read_text("utf-8").replace("0.735", "0.736"), "utf-8")
    assert write_tables(page, folder) != page


def test_layout_by_hand(tmp_path):
    lines = ["# command: none", "method,target,mean,deviation"]
    lines += ["a,R,0.5,0.1", "a,U,0.25,", "b,R,0.5,0.2"]
    (tmp_path / "made.csv").write_text("\n".join(lines), "utf-8")
    by_column = Table("made", ("method",), "target", "column")
    assert render_table(by_column, tmp_path).splitlines() == [
        "| method | R | U |",
        "| --- | --- | --- |",
        "| a | **0.5** ± 0.1 | **0.25** |",
        "| b | **0.5** ± 0.2 |  |",
    ]
    by_row = by_column._replace(best="row", where={"method": ["a"]})
    assert render_table(by_row, tmp_path).splitlines()[2:] == [
        "| a | **0.5** ± 0.1 | 0.25 |"
    ]
    plain = render_table(Table("made"), tmp_path).splitlines()
    assert plain[0] == "| method | target | mean | deviation |"
    assert plain[3] == "| a | U | 0.25 |  |"


def test_check_changes_nothing(tmp_path, monkeypatch, capsys):
    page = tmp_path / "README.md"
    page.write_text("<!-- table: trifeatures -->\n<!-- /table -->\n", "utf-8")
    monkeypatch.setattr("write_tables.ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["write_tables.py", "--check"])
    assert main() == 1
    assert "README.md" in capsys.readouterr().out
    assert "COrAL" not in page.read_text("utf-8")
    monkeypatch.setattr("sys.argv", ["write_tables.py"])
    assert main() == 0
    assert "COrAL" in page.read_text("utf-8")
    monkeypatch.setattr("sys.argv", ["write_tables.py", "--check"])
    assert main() == 0
