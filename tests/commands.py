"""The command line, in a process of its own and in this one."""

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout

from tb_sonify.cli.main import main


def tb_sonify(*arguments, cwd=None, text=True):
    """The finished process of `tb-sonify` with some arguments."""
    command = [sys.executable, "-m", "tb_sonify", *map(str, arguments)]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=text, check=False)


def tb_sonify_here(*arguments):
    """As of a process, for all but how it starts and ends; an exception is one of the test."""
    output, errors = io.StringIO(), io.StringIO()
    with redirect_stdout(output), redirect_stderr(errors):
        try:
            status = main([*map(str, arguments)])
        except SystemExit as end:
            status = end.code
    return subprocess.CompletedProcess(
        arguments, status, stdout=output.getvalue(), stderr=errors.getvalue()
    )
