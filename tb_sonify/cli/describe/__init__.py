"""The command `tb-sonify describe`: what happened in runs, in words."""
