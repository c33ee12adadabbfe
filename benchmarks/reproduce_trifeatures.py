"""Trifeatures: redundancy, uniqueness and synergy (R, U, S).

Each method is trained without labels on pairs of pictures that show the same shape,
each in a texture and a colour of its own. Linear probes then read the shape ("share":
redundancy R) and the texture of either picture ("unique1" and "unique2": their mean is
the uniqueness U). A second training is on biased pairs, where the texture of the first
picture and the colour of the second obey a relation; a probe then reads whether a pair
obeys it ("synergy": S). All probes are fitted on unbiased training pairs and scored on
unbiased test pairs, whose combinations of shape, texture and colour no training picture
shows; the test pairs serve for nothing but the scores. Pictures and pairs are the same
for all methods and seeds::

    python benchmarks/reproduce_trifeatures.py --out trifeatures --jobs 2
    python benchmarks/reproduce_trifeatures.py --scale paper --out trifeatures_paper

``--scale laptop`` has pictures of 48 pixels, 5,000 pairs, eight epochs in batches of
128, a learning rate of 3e-3, half of the usual channels, views by crops and flips that
keep the colours, otherwise the defaults of the methods; features are standardised, and
probes weigh the rare class of the synergy as the other. COrAL takes two minutes per
seed on two cores. The setting was chosen on training pictures alone, of which 200 of
the 800 combinations were held out.
``--scale paper`` has the published settings: pictures of 224 pixels, AlexNet, views of
SimCLR, 100 epochs, and the published probe. It needs a GPU and about 10 GB of memory.

Cells (method, seed, biased) that are done are kept in the folder and skipped, so that a
killed run can be resumed. Results: ``results.csv``, ``table.md``, ``rus.png``.
"""

# %%
from functools import partial

import numpy as np
from experiment import (
    add_methods,
    evaluate_published,
    make_method,
    make_parser,
    make_published,
    open_folder,
    parse,
    read_records,
    report,
    run_cells,
    sort_methods,
    whole,
)

from skcoral.augmentations import Compose, Flip, ResizedCrop
from skcoral.datasets import make_trifeatures
from skcoral.evaluation import LinearProbe, evaluate
from skcoral.modalities import ImageModality

SCALES = {
    "laptop": {"image_size": 48, "pairs": 5000, "epochs": 8},
    "paper": {"image_size": 224, "pairs": 10_000, "epochs": 100},
}
LABELS = {False: ("share", "unique1", "unique2"), True: ("synergy",)}
# Letter and labels, whose scores are averaged.
KINDS = {"R": ("share",), "U": ("unique1", "unique2"), "S": ("synergy",)}
NAMES = {"R": "redundancy (R)", "U": "uniqueness (U)", "S": "synergy (S)"}
LAPTOP = {"batch_size": 128, "lr": 3e-3}
LAPTOP_PROBE = LinearProbe(Cs=(1e-3, 1e-2, 1e-1), refine=False, class_weight="balanced")


# %%
# Methods
# -------


# Views that keep the colours, on which the synergy rests.
CROP_AND_FLIP = Compose([ResizedCrop(0.5), Flip()])


def make_estimator(method, scale, epochs):
    """Return a method as the scale has it."""
    if scale == "paper":
        return make_published(method, "trifeatures", max_epochs=epochs)
    modalities = [
        (name, ImageModality(augmentation=CROP_AND_FLIP, conv_width=16), name)
        for name in ("image1", "image2")
    ]
    parameters = {"max_epochs": epochs, **LAPTOP}
    return make_method(method, modalities, "trifeatures", **parameters)


# %%
# Protocol
# --------


def load(subset, biased, image_size, n_pairs):
    """Pairs of pictures, the same for all methods and seeds."""
    bunch = make_trifeatures(
        subset, biased=biased, image_size=image_size, n_pairs=n_pairs, random_state=0
    )
    return bunch.data, bunch.target


def measure(cell, *, scale, image_size, pairs, epochs):
    """Return the records of one training: method, seed, biased or not."""
    make = partial(load, image_size=image_size, n_pairs=pairs)
    (X, y), (X_test, y_test) = make("train", False), make("test", False)
    labels = LABELS[cell["biased"]]
    laptop = partial(evaluate, probe=LAPTOP_PROBE)
    score = evaluate_published if scale == "paper" else laptop
    return score(
        {cell["method"]: make_estimator(cell["method"], scale, epochs)},
        X,
        {label: y[label] for label in labels},
        X_test=X_test,
        y_test={label: y_test[label] for label in labels},
        X_fit=make("train", True)[0] if cell["biased"] else None,
        seeds=[cell["seed"]],
        data=f"trifeatures, {image_size} px",
    )


def join_kinds(records):
    """Return a record per kind of information, method and seed: R, U and S."""
    kinds = []
    for kind, labels in KINDS.items():
        runs = {}
        for record in records:
            if record["label"] in labels:
                runs.setdefault((record["method"], record["seed"]), []).append(record)
        for group in runs.values():
            means = {
                score: float(np.mean([record[score] for record in group]))
                for score in ("balanced_accuracy", "accuracy")
            }
            kinds.append({**group[0], "label": kind, **means})
    return kinds


def main(arguments=None):
    """Run the cells that are missing and report on all that there are."""
    parser = make_parser("trifeatures", __doc__)
    add_methods(parser)
    parser.add_argument("--scale", choices=SCALES, default="laptop")
    parser.add_argument("--image-size", type=whole(16), help="pixels")
    parser.add_argument("--pairs", type=whole(1), help="training and test pairs")
    options = parse(parser, arguments)
    chosen = {
        name: getattr(options, name) or value
        for name, value in SCALES[options.scale].items()
    }
    settings = {"scale": options.scale, **chosen}
    open_folder(options.out, experiment="trifeatures", **settings)
    cells = [
        {"method": method, "seed": seed, "biased": biased}
        for seed in options.seeds
        for method in options.methods
        for biased in (False, True)
    ]
    try:
        run_cells(options.out, cells, partial(measure, **settings), options.jobs)
    finally:
        summarise(options.out)


def summarise(folder):
    """Write table, CSV and figure of the cells that exist."""
    records = sort_methods(read_records(folder))
    if not records:
        return
    kinds = join_kinds(records)
    columns = {"columns": "label"}
    title = f"Trifeatures, {records[0]['data'].split(', ')[1]}"
    report(
        folder,
        records,
        [(f"{title}: R, U and S", kinds, columns)],
        [("rus", kinds, {"column": "label", "title": title, "names": NAMES})],
    )


# %%
if __name__ == "__main__":
    main()
