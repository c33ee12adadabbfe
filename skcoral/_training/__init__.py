"""Training: the skorch net, its devices, batches and callbacks."""
