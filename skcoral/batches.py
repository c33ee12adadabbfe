"""Batches: blocks of one table as tensors, gathered by whole batches of rows."""

import torch
from torch.utils.data import Dataset

from skcoral._blocks import LazyBlock, count_rows, map_block, take_from_blocks


class BlockDataset(Dataset):
    """Blocks of one table as tensors, gathered by lists of rows.

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
    """Iterate over a `BlockDataset` by whole batches of rows.

    Gathering a batch by one index per block replaces a data loader that collates row by
    row. A last batch of a single row would break contrast and batch normalisation: it
    joins the batch before it.

    Parameters
    ----------
    dataset : BlockDataset
        The data.

    batch_size : int
        Rows per batch.

    shuffle : bool, default=False
        Draw a new order from torch's default generator at each pass.
    """

    def __init__(self, dataset, batch_size, shuffle=False):
        self.dataset = dataset
        self.batch_size = batch_size
        self.shuffle = shuffle

    def __len__(self):
        return len(self.batch_sizes)

    @property
    def batch_sizes(self):
        """Number of rows of each batch, in order."""
        return [len(rows) for rows in self._split(torch.arange(len(self.dataset)))]

    def __iter__(self):
        n_rows = len(self.dataset)
        order = torch.randperm(n_rows) if self.shuffle else torch.arange(n_rows)
        for rows in self._split(order):
            yield self.dataset[rows], None

    def _split(self, order):
        parts = list(order.split(self.batch_size))
        if len(parts) > 1 and len(parts[-1]) == 1:
            parts[-2:] = [torch.cat(parts[-2:])]
        return parts
