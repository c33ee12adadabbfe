"""Training callbacks: loss terms in the history, progress bar, early stopping."""

import copy

import numpy as np
from skorch.callbacks import Callback, EarlyStopping
from tqdm.auto import tqdm


class LossTerms(Callback):
    """Record the epoch mean of each loss term of the objective in the history."""

    def on_epoch_end(self, net, **kwargs):
        """Average over the batches of the epoch, weighted by number of samples."""
        for prefix in ("train", "valid"):
            batches = [b for b in net.history[-1, "batches"] if f"{prefix}_loss" in b]
            if not batches:
                continue
            weights = [batch[f"{prefix}_batch_size"] for batch in batches]
            for term in net.criterion_.terms:
                name = f"{prefix}_{term}"
                values = [batch[name] for batch in batches]
                net.history.record(name, float(np.average(values, weights=weights)))


class EpochProgress(Callback):
    """Show a progress bar over the epochs, with the remaining time and the loss."""

    def on_train_begin(self, net, **kwargs):
        """Open the bar."""
        self.bar = tqdm(total=net.epochs_ahead_, unit="epoch")

    def on_epoch_end(self, net, **kwargs):
        """Advance by one epoch."""
        self.bar.set_postfix(loss=f"{net.history[-1, 'train_loss']:.3f}")
        self.bar.update()

    def on_train_end(self, net, **kwargs):
        """Close the bar; an open bar could not be pickled with the estimator."""
        self.bar.close()
        del self.bar


def has_stopped(net):
    """Return whether a callback that stops early has ended the training."""
    stoppers = [c for _, c in net.callbacks_ if isinstance(c, EarlyStopping)]
    return any(c.misses_ >= c.patience for c in stoppers)


class BestEpoch(EarlyStopping):
    """Stop early as skorch does, and restore the objective as well as the network.

    Projection heads belong to the objective: restoring only the network would pair it,
    in `score` and further training, with the heads of another epoch.

    Parameters
    ----------
    patience : int
        Number of epochs without improvement after which training stops.
    """

    def __init__(self, patience):
        super().__init__(patience=patience, load_best=True)

    def __getstate__(self):
        """Return the parameter: every training counts anew."""
        return {"patience": self.patience}

    def __setstate__(self, state):
        """Be as new."""
        self.__init__(**state)

    def on_epoch_end(self, net, **kwargs):
        """Keep the objective's state at the best epoch."""
        try:
            super().on_epoch_end(net, **kwargs)
        finally:
            if self.best_epoch_ == net.history[-1, "epoch"]:
                self.best_criterion_ = copy.deepcopy(net.criterion_.state_dict())

    def on_train_end(self, net, **kwargs):
        """Restore the network and the objective."""
        super().on_train_end(net, **kwargs)
        if self.best_model_weights_ is not None:
            net.criterion_.load_state_dict(self.best_criterion_)
            del self.best_criterion_
            self.best_model_weights_ = None
