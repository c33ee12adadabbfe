"""Write the result tables of README.md and docs/ from the files of benchmarks/results.

A table is written between ``<!-- table: NAME -->`` and ``<!-- /table -->``. `TABLES`
names the file that it comes from and says how to lay it out. Each file begins with
comments that say how its numbers were made::

    python benchmarks/write_tables.py          # write the tables
    python benchmarks/write_tables.py --check  # exit with 1 if one would change
"""

import argparse
import csv
import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
FIELDS = ("command", "seeds", "versions", "machine", "date")
MARKED = re.compile(r"(<!-- table: (\S+) -->\n).*?(<!-- /table -->)", re.DOTALL)


class Table(NamedTuple):
    """How to lay out a file of `RESULTS`.

    `rows` are the columns that name a row and `columns` is the one that names the
    columns of the table; without it the file is printed as it is. `where` keeps the
    records with these values. `best` says where the largest value is bold: in each
    "column", in each "row" or, if None, nowhere.
    """

    file: str
    rows: tuple = ()
    columns: str | None = None
    best: str | None = None
    value: str = "mean"
    where: dict = {}


FEW_LABELS = {
    "movies-genre": "movies, genre (12)",
    "movies-fresh": "movies, fresh (2)",
    "mfeat-3": "mfeat, 3 views (10)",
    "mfeat-6": "mfeat, 6 views (10)",
    "emoji": "emoji (8)",
    "watch": "watch (7)",
}
SHORT = {"labels": ["5"], "features": ["raw", "PCA", "SimCLR per modality", "COrAL"]}
FILMS = ["movies, genre", "movies, fresh", "emoji"]
OTHERS = ["mfeat, 3 views", "mfeat, 6 views", "watch"]
REAL_SETS = Table("real_sets_all", ("method",), "data", "column")
GAINS = Table("gains", ("data", "unlabelled"), "labels")

TABLES = {
    "readme": Table("few_labels", ("data",), "features", "row", where=SHORT),
    "trifeatures": Table("trifeatures", ("method",), "target", "column"),
    **{
        f"few-labels-{name}": Table(
            "few_labels", ("features",), "labels", "column", where={"data": [data]}
        )
        for name, data in FEW_LABELS.items()
    },
    "joins": Table("joins", ("data",), "features"),
    "gains-over-plain": GAINS._replace(value="over_plain"),
    "gains-over-all": GAINS._replace(value="over_all"),
    "interactions": Table("interactions", ("method",), "target", "column"),
    "real-sets-5": Table("real_sets_5", ("method",), "data", "column"),
    "real-sets-all-films": REAL_SETS._replace(where={"data": FILMS}),
    "real-sets-all-others": REAL_SETS._replace(where={"data": OTHERS}),
    "components-2": Table("components_2", ("component",), "target"),
    "components-3": Table("components_3", ("component",), "target"),
    "missing": Table("missing", ("features",), "missing", "column"),
    "speed": Table("speed"),
    "feed-forward": Table("feed_forward"),
}


def read_results(path):
    """Return the records of a file and what its comments say."""
    lines = path.read_text(encoding="utf-8").splitlines()
    notes = [line for line in lines if line.startswith("#")]
    pairs = (note.removeprefix("# ").split(": ", 1) for note in notes)
    return list(csv.DictReader(lines[len(notes) :])), dict(pairs)


def render_table(table, folder=RESULTS):
    """Return a table as lines of Markdown."""
    records, _ = read_results(folder / f"{table.file}.csv")
    if table.columns is None:
        return format_rows([list(records[0]), *(list(r.values()) for r in records)])
    kept = [r for r in records if all(r[k] in v for k, v in table.where.items())]
    columns = list(dict.fromkeys(r[table.columns] for r in kept))
    best = find_best(kept, table)
    rows = {}
    for record in kept:
        cells = rows.setdefault(tuple(record[name] for name in table.rows), {})
        cells[record[table.columns]] = format_cell(
            record[table.value], record.get("deviation"), id(record) in best
        )
    body = [[*row, *(cells.get(c, "") for c in columns)] for row, cells in rows.items()]
    return format_rows([[*table.rows, *columns], *body])


def find_best(records, table):
    """Return the identities of the records that are largest in a column or a row."""
    if table.best is None:
        return set()
    names = (table.columns,) if table.best == "column" else table.rows
    groups = {}
    for record in records:
        groups.setdefault(tuple(record[name] for name in names), []).append(record)
    best = set()
    for group in groups.values():
        largest = max(float(record[table.value]) for record in group)
        best |= {id(r) for r in group if float(r[table.value]) == largest}
    return best


def format_cell(value, deviation, bold):
    """Return a value, bold or not, and its deviation if there is one."""
    value = f"**{value}**" if bold else value
    return f"{value} ± {deviation}" if deviation else value


def format_rows(rows):
    """Return rows of Markdown, the first one being the head."""
    head, *body = rows
    return "\n".join(
        f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *body]
    )


def write_tables(text, folder=RESULTS):
    """Return a text whose tables are those of the files in a folder."""

    def replace(match):
        begin, name, end = match.groups()
        return f"{begin}\n{render_table(TABLES[name], folder)}\n\n{end}"

    return MARKED.sub(replace, text)


def find_pages():
    """Return the pages that may hold tables."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def main():
    """Write or check all pages and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="change nothing")
    options = parser.parse_args()
    changed = []
    for page in find_pages():
        old = page.read_text(encoding="utf-8")
        new = write_tables(old)
        if new != old:
            changed.append(page.relative_to(ROOT))
            if not options.check:
                page.write_text(new, encoding="utf-8", newline="\n")
    for page in changed:
        print(f"{page}: {'differs from' if options.check else 'written from'} results")
    return int(options.check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
