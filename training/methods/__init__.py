"""What is learned: one class with a step per method."""
