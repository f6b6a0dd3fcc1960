"""`tb-sonify run`: hear a training script as it is."""
