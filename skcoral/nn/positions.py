"""Positional encodings: sines and cosines of steps and of grid positions."""

from typing import Any

import torch
from torch import Tensor


def encode_steps(n_steps: int, width: int, device: torch.device) -> Tensor:
    """Return sines and cosines of each step at geometrically spaced frequencies."""
    # Whatever torch's default type is.
    kind: dict[str, Any] = {"dtype": torch.float32, "device": device}
    n_waves = (width + 1) // 2
    rates = 10_000.0 ** (-torch.arange(n_waves, **kind) / n_waves)
    angles = torch.arange(n_steps, **kind)[:, None] * rates
    return torch.cat([angles.sin(), angles.cos()], dim=1)[:, :width]


def encode_grid(grid: Tensor) -> Tensor:
    """Return sines and cosines of the row and the column of each grid position."""
    width, height, length = grid.shape[1:]
    rows = encode_steps(height, (width + 1) // 2, grid.device)
    columns = encode_steps(length, width // 2, grid.device)
    places = [rows.repeat_interleave(length, 0), columns.repeat(height, 1)]
    return torch.cat(places, dim=1)
