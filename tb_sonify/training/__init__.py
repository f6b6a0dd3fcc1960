"""From gradients to the event file: what runs inside somebody's training."""
