"""Networks: attention, encoders of blocks, and the dual-path network of COrAL."""
