"""Input: X, of any container, as one block per modality."""
