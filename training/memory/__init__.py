"""What a training run needs of a card, by calculation."""
