"""Many pictures: where they come from, on what they are worked, how a run goes on."""
