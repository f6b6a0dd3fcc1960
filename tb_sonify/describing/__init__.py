"""`tb-sonify describe`: runs in words."""
