"""Encoders: small modules that turn a batch of one modality into tokens."""
