"""skcoral against the textbook, reference_coral.py: losses and gradients."""

import re

import numpy as np
import pytest
import reference_coral
import torch

from skcoral.modalities import SequenceModality, TabularModality
from skcoral.nn.network import DualPathNetwork
from skcoral.objectives.coral import COrALObjective

WIDTH, UNIQUE, N_ROWS = 8, 4, 12
SIZES = {"embed_dim": WIDTH, "unique_dim": UNIQUE}


def make_pair(kind, mask_ratio):
    """Return network, objective and textbook with the same weights, and two views."""
    rng = np.random.default_rng(0)
    table, series = rng.normal(size=(N_ROWS, 3)), rng.normal(size=(N_ROWS, 5, 2))
    layers = {"n_layers": 2, "n_heads": 2, "dim_feedforward": 20, "activation": "relu"}
    spec = SequenceModality(encoder=kind, positional_encoding=False, **layers)
    specs = {"table": TabularModality().fit(table), "series": spec.fit(series)}
    torch.manual_seed(0)
    network = DualPathNetwork(specs, n_heads=2, **SIZES).double()
    heads = {"head_hidden_dim": 6, "head_dim": 5, "mask_ratio": mask_ratio}
    objective = COrALObjective(list(specs), **SIZES, **heads).double()
    encoders = [
        lambda: reference_coral.Features(3, WIDTH),
        {
            "transformer": lambda: reference_coral.Transformer(2, WIDTH, 2, 2, 20, 0.0),
            "gru": lambda: reference_coral.Recurrent(2, WIDTH, 2),
        }[kind],
    ]
    plain = reference_coral.PlainCOrAL(encoders, WIDTH, UNIQUE, 2, 6, 5, mask_ratio)
    plain.double().load_state_dict(translate(network, objective))
    views = [
        {
            "table": torch.from_numpy(table + noise),
            "series": torch.from_numpy(series + noise),
        }
        for noise in (0.0, 0.3)
    ]
    return network, objective, plain, views


def translate(network, objective, read=lambda parameter: parameter.detach()):
    """Return our parameters, or something of them, under the names of the textbook."""
    parameters = [*network.named_parameters(), *objective.named_parameters()]
    named = {name: read(parameter) for name, parameter in parameters}
    buffers = {n: b for n, b in objective.named_buffers() if n.startswith("heads")}
    out = {}
    for name, value in {**named, **buffers}.items():
        new = name.replace("pool_query", "query").replace("feed_forward.", "")
        # Ours is one GRU a layer.
        new = re.sub(r"layers\.(\d)\.(\w+_[ih]h)_l0", r"gru.\2_l\1", new)
        new = new.replace(".out.", ".attention.out_proj.")
        new = "layer" + new.removeprefix("layers.0") if new[:8] == "layers.0" else new
        if name.endswith(("missing", "levels.weight")) or ".key_value." in name:
            continue
        if ".query." in new:
            pair = named[name.replace("query", "key_value")]
            value, new = (
                torch.cat([value, pair]),
                new.replace("query.", "attention.in_proj_"),
            )
        out[new] = value
    return out


@pytest.mark.parametrize("mask_ratio", [0.0, 1.0])
@pytest.mark.parametrize("kind", ["transformer", "gru"])
def test_losses_and_gradients_are_those_of_the_textbook(kind, mask_ratio):
    network, objective, plain, views = make_pair(kind, mask_ratio)
    terms = list(objective(network, views).values())
    expected = plain([list(view.values()) for view in views])
    torch.testing.assert_close(torch.stack(terms), torch.stack(expected))
    sum(terms).backward()
    sum(expected).backward()
    gradients = translate(network, objective, lambda parameter: parameter.grad)
    for name, parameter in plain.named_parameters():
        torch.testing.assert_close(gradients[name], parameter.grad, msg=name)
