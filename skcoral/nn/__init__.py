"""Neural networks: attention, encoders of modalities, and COrAL's dual-path network."""
