"""The command `tb-sonify`."""
