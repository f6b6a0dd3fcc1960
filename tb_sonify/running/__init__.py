"""`tb-sonify run`: an unmodified training script, watched."""
