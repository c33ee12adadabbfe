"""MultiBench: MOSI, MOSEI, UR-FUNNY, MUsTARD and MIMIC, published.

Each method is trained without labels on the training rows with its published settings
(methods without any for a data set have those of CoMM), for 100 epochs, and keeps the
last one. The published probe reads the class from all features: a logistic regression
whose C is chosen on the validation rows, fitted on training and validation rows and
scored once on the test rows. The files are a user's own, in the format of MultiBench;
for one that is missing, the error says where to obtain it::

    python benchmarks/reproduce_multibench.py --mosi mosi_data.pkl --out multibench
    python benchmarks/reproduce_multibench.py --humor humor.pkl --mimic im.pk --seeds 41

MIMIC is the diagnosis of ICD-9 group 7 (460-519). Published numbers are balanced
accuracies in some papers and accuracies in others, so the table has both.

Cells (data, method, seed) that are done are kept in the folder and skipped, so that a
killed run can be resumed. Results: ``results.csv``, ``table.md``, ``accuracy.png``.
"""

# %%
from functools import partial
from pathlib import Path

from experiment import (
    add_methods,
    evaluate_published,
    make_parser,
    make_published,
    open_folder,
    parse,
    read_records,
    report,
    run_cells,
    sort_methods,
)

from skcoral.datasets import load_affect, load_mimic

TITLES = {
    "mosi": "MOSI",
    "mosei": "MOSEI",
    "humor": "UR-FUNNY",
    "sarcasm": "MUsTARD",
    "mimic": "MIMIC",
}


# %%
# Protocol
# --------


def load(data, path):
    """X and y of the training, validation and test rows."""
    read = load_mimic if data == "mimic" else partial(load_affect, data)
    subsets = ("train", "valid", "test")
    return {subset: read(path, subset=subset, return_X_y=True) for subset in subsets}


def measure(cell, *, paths, epochs):
    """Return the records of one training: data set, method, seed."""
    data, method = cell["data"], cell["method"]
    parts = load(data, paths[data])
    parameters = {} if epochs is None else {"max_epochs": epochs}
    (X, y), (X_val, y_val), (X_test, y_test) = parts.values()
    return evaluate_published(
        {method: make_published(method, data, **parameters)},
        X,
        y,
        X_val=X_val,
        y_val=y_val,
        X_test=X_test,
        y_test=y_test,
        seeds=[cell["seed"]],
        data=data,
    )


def main(arguments=None):
    """Run the cells that are missing and report on all that there are."""
    parser = make_parser("multibench", __doc__)
    add_methods(parser)
    parser.set_defaults(seeds=[41, 42, 43, 44, 45])
    for data, title in TITLES.items():
        parser.add_argument(f"--{data}", type=Path, help=f"file of {title}")
    options = parse(parser, arguments)
    paths = {data: getattr(options, data) for data in TITLES}
    paths = {data: path for data, path in paths.items() if path is not None}
    if not paths:
        parser.error("give the file of one data set, such as --mosi mosi_data.pkl")
    for data, path in paths.items():
        load(data, path)  # says at once what is wrong with a file
    open_folder(options.out, paths, experiment="multibench", epochs=options.epochs)
    cells = [
        {"data": data, "method": method, "seed": seed}
        for data in paths
        for seed in options.seeds
        for method in options.methods
    ]
    chosen = partial(measure, paths=paths, epochs=options.epochs)
    try:
        run_cells(options.out, cells, chosen, options.jobs)
    finally:
        summarise(options.out)


def summarise(folder):
    """Write table, CSV and figure of the cells that exist."""
    records = sort_methods(read_records(folder))
    if not records:
        return
    records.sort(key=lambda record: list(TITLES).index(record["data"]))
    title = "MultiBench"
    keywords = {"column": "data", "title": title, "names": TITLES}
    report(
        folder,
        records,
        [(title, records, {"columns": "data"})],
        [("accuracy", records, keywords)],
    )


# %%
if __name__ == "__main__":
    main()
