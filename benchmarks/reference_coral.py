"""COrAL as a textbook writes it, to compare with.

The same training as `COrALTransformer`'s in plain PyTorch: a data set that makes views
row by row, a data loader, modules of torch, a loop. `benchmark_training.py` measures it
beside skcoral, and a test holds the losses and gradients of both together.
"""

# %%
import itertools

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

# %%
# Network
# -------


class Layer(nn.Module):
    """Pre-norm attention and feed-forward, for all tokens."""

    def __init__(self, width, n_heads, hidden, dropout, activation):
        super().__init__()
        self.activation = activation
        self.norm_attention = nn.LayerNorm(width)
        self.attention = nn.MultiheadAttention(
            width, n_heads, dropout=dropout, batch_first=True
        )
        self.norm = nn.LayerNorm(width)
        self.up = nn.Linear(width, hidden)
        self.down = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        y = self.norm_attention(x)
        x = x + self.dropout(self.attention(y, y, y, need_weights=False)[0])
        hidden = self.dropout(self.activation(self.up(self.norm(x))))
        return x + self.dropout(self.down(hidden))


def quick_gelu(z):
    """A cheap approximation of GELU."""
    return z * torch.sigmoid(1.702 * z)


class Transformer(nn.Module):
    """A token per step."""

    def __init__(self, n_features, width, n_layers, n_heads, hidden, dropout):
        super().__init__()
        self.project = nn.Linear(n_features, width, bias=False)
        self.layers = nn.ModuleList(
            Layer(width, n_heads, hidden, dropout, torch.relu) for _ in range(n_layers)
        )

    def forward(self, x):
        x = self.project(x)
        for layer in self.layers:
            x = layer(x)
        return x


class Recurrent(nn.Module):
    """A token per step, by a GRU."""

    def __init__(self, n_features, width, n_layers=1):
        super().__init__()
        self.gru = nn.GRU(n_features, width, n_layers, batch_first=True)

    def forward(self, x):
        return self.gru(x)[0]


class Features(nn.Module):
    """A token per number."""

    def __init__(self, n_features, width):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_features, width))
        self.bias = nn.Parameter(torch.randn(n_features, width))

    def forward(self, x):
        return x[..., None] * self.weight + self.bias


class Unique(nn.Module):
    """Tokens of one modality to one vector, by attention with a learned query."""

    def __init__(self, width, unique):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(width, width),
            nn.LayerNorm(width),
            nn.GELU(),
            nn.Linear(width, unique),
        )
        self.query = nn.Parameter(torch.randn(unique))

    def forward(self, tokens):
        r = self.layers(tokens)
        weights = torch.softmax(r @ self.query, dim=1)
        return (weights[..., None] * r).sum(dim=1)


def make_head(width, hidden, out):
    """Three linear layers with batch normalisation."""
    return nn.Sequential(
        nn.Linear(width, hidden),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Linear(hidden, hidden),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Linear(hidden, out),
    )


class PlainCOrAL(nn.Module):
    """Network, heads and loss for two modalities and one fusion layer.

    Parameters
    ----------
    encoders : list of two callables
        Each returns a new encoder.

    width, unique, n_heads, head_hidden, head_out : int
        Widths of tokens and unique vectors, attention heads, widths of the heads.

    mask_ratio, temperature : float
        As in COrAL.
    """

    def __init__(
        self,
        encoders,
        width,
        unique,
        n_heads,
        head_hidden=256,
        head_out=128,
        mask_ratio=0.75,
        temperature=0.1,
    ):
        super().__init__()
        self.encoders = nn.ModuleList(make() for make in encoders)
        self.unique_encoders = nn.ModuleList(make() for make in encoders)
        self.unique_paths = nn.ModuleList(Unique(width, unique) for _ in encoders)
        self.cls = nn.Parameter(torch.randn(1, 1, width))
        self.layer = Layer(width, n_heads, 4 * width, 0.0, quick_gelu)
        self.norm = nn.LayerNorm(width)
        self.heads = nn.ModuleList(
            make_head(w, head_hidden, head_out) for w in (width, unique, unique)
        )
        self.mask_ratio = mask_ratio
        self.temperature = temperature

    def embed(self, view, masked=None):
        """Return shared and unique vectors of one view, one modality of it masked."""
        tokens = [f(x) for f, x in zip(self.encoders, view, strict=True)]
        if masked is not None:
            kept = torch.rand(tokens[masked].shape[:2]) > self.mask_ratio
            tokens[masked] = tokens[masked] * kept[..., None]
        cls = self.cls.expand(len(view[0]), -1, -1)
        shared = self.norm(self.layer(torch.cat([cls, *tokens], dim=1))[:, 0])
        paths = zip(self.unique_paths, self.unique_encoders, view, strict=True)
        return [shared, *(path(encoder(x)) for path, encoder, x in paths)]

    def forward(self, views):
        """Return the loss terms: three contrasts and the orthogonality."""
        heads = []
        for masked, view in enumerate(views):
            vectors = self.embed(view, masked)
            heads.append([h(v) for h, v in zip(self.heads, vectors, strict=True)])
        terms = [self.contrast(a, b) for a, b in zip(*heads, strict=True)]
        overlaps = [
            F.cosine_similarity(a, b).square().mean()
            for view in heads
            for a, b in itertools.combinations(view, 2)
        ]
        return [*terms, sum(overlaps)]

    def contrast(self, a, b):
        """InfoNCE with negatives of both views, in both directions."""
        z = F.normalize(torch.cat([a, b]), dim=1)
        logits = z @ z.T / self.temperature
        logits.fill_diagonal_(-torch.inf)
        n = len(a)
        return F.cross_entropy(logits, torch.arange(2 * n).roll(n))


# %%
# Views and training
# ------------------


def make_view(x, rng):
    """Half the time blank up to 80 % of the steps, half the time add noise."""
    x = x.copy()
    if rng.random() < 0.5:
        n_lost = round(rng.uniform(0, 0.8) * len(x))
        x[rng.choice(len(x), n_lost, replace=False)] = 0.0
    if rng.random() < 0.5:
        x = x + 0.1 * rng.standard_normal(x.shape, dtype=np.float32)
    return x


class TwoViews(Dataset):
    """Two random views of each row."""

    def __init__(self, blocks, seed):
        self.blocks = blocks
        self.rng = np.random.default_rng(seed)

    def __len__(self):
        return len(self.blocks[0])

    def __getitem__(self, row):
        return [[make_view(x[row], self.rng) for x in self.blocks] for _ in range(2)]


def train(model, blocks, n_epochs, batch_size, lr=1e-3, weight_decay=1e-3, seed=0):
    """Train the model, and yield after each epoch."""
    loader = DataLoader(TwoViews(blocks, seed), batch_size, shuffle=True)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lr, weight_decay=weight_decay)
    model.train()
    for _ in range(n_epochs):
        for views in loader:
            optimizer.zero_grad()
            sum(model(views)).backward()
            optimizer.step()
        yield
