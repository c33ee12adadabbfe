"""Random generators: torch's default ones, seeded temporarily and restored."""

import contextlib

import numpy as np
import torch


@contextlib.contextmanager
def seeded(seed, device):
    """Seed torch's default generators within the context and restore them after it.

    Only the generators of the CPU and of `device` are affected.

    Parameters
    ----------
    seed : int
        The seed.

    device : str
        A torch device.

    Yields
    ------
    None
        Nothing.
    """
    kind = torch.device(device).type
    modules = [torch] if kind == "cpu" else [torch, torch.get_device_module(kind)]
    states = [module.get_rng_state() for module in modules]
    # torch.manual_seed would reseed the caller's other devices too.
    torch.default_generator.manual_seed(seed)
    for module in modules[1:]:
        module.manual_seed(seed)
    try:
        yield
    finally:
        for module, state in zip(modules, states, strict=True):
            module.set_rng_state(state)


def derive_seed(seed, n_epochs):
    """Return the seed for training that continues after some epochs.

    Each continuation draws new numbers, which are the same in every run.
    """
    return int(np.random.SeedSequence([seed, n_epochs]).generate_state(1)[0])
