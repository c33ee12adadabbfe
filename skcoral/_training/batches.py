"""Batches: the blocks of a table as tensors, gathered one batch of rows at a time."""

import torch
from torch.utils.data import Dataset

from skcoral._input.blocks import LazyBlock, count_rows, map_block, take_from_blocks


class BlockDataset(Dataset):
    """The blocks of a table as tensors, indexed by tensors of rows.

    Parameters
    ----------
    blocks : dict of str to ndarray, (ndarray, mask) or LazyBlock
        One block per modality, first axis = samples. A lazy block is read batch by
        batch.

    device : str, default="cpu"
        Where the tensors are kept.
    """

    def __init__(self, blocks, device="cpu"):
        self.device = device
        self.blocks = {
            name: block if isinstance(block, LazyBlock) else self._to_tensors(block)
            for name, block in blocks.items()
        }

    def __len__(self):
        return count_rows(self.blocks)

    def __getitem__(self, rows):
        blocks = take_from_blocks(self.blocks, rows)
        return {
            name: self._to_tensors(block.load())
            if isinstance(block, LazyBlock)
            else block
            for name, block in blocks.items()
        }

    def _to_tensors(self, block):
        return map_block(lambda a: torch.as_tensor(a, device=self.device), block)


class BatchLoader:
    """Iterate over a `BlockDataset` in batches of rows.

    A batch is gathered with one index operation per block, unlike in a data loader that
    collates row by row. A last batch of a single row, which would break contrast and
    batch normalisation, is merged with the batch before it.

    A batch is (blocks, None), as skorch wants pairs.

    Parameters
    ----------
    dataset : BlockDataset
        The data.

    batch_size : int
        Rows per batch.

    shuffle : bool, default=False
        Draw a new order in each pass.

    Attributes
    ----------
    generator : torch.Generator or None
        Source of the orders; None means torch's default generator.
    """

    def __init__(self, dataset, batch_size, shuffle=False):
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.generator = None

    def __len__(self):
        return len(self.batch_sizes)

    @property
    def batch_sizes(self):
        """Number of rows of each batch, in order."""
        return [len(rows) for rows in self._split(torch.arange(len(self.dataset)))]

    def __iter__(self):
        n_rows = len(self.dataset)
        order = self._draw_order(n_rows) if self.shuffle else torch.arange(n_rows)
        for rows in self._split(order):
            yield self.dataset[rows], None

    def _draw_order(self, n_rows):
        return torch.randperm(n_rows, generator=self.generator)

    def _split(self, order):
        parts = list(order.split(min(self.batch_size, max(1, len(order)))))
        if len(parts) > 1 and len(parts[-1]) == 1:
            parts[-2:] = [torch.cat(parts[-2:])]
        return parts
