"""The command line, run as a process of its own."""

import subprocess
import sys


def tb_sonify(*arguments, cwd=None, text=True):
    """The finished process of `tb-sonify` with some arguments."""
    command = [sys.executable, "-m", "tb_sonify", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=text, check=False)
