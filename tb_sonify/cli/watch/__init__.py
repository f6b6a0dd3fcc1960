"""The command `tb-sonify watch`: follows runs in a terminal, and tells what happens to them."""
