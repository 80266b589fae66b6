"""Networks and pure image operations: arrays and tensors in, arrays and tensors out."""
