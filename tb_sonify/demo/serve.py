"""TensorBoard on the demo's runs, until Ctrl-C."""

import time
from pathlib import Path

from tensorboard import program

from tb_sonify.cli import CommandError


def serve(logdir: Path, *, host: str, port: int | None) -> int:
    """Serve in this process and say where; without a port, TensorBoard takes the next free one."""
    tensorboard = program.TensorBoard()
    chosen_port = [] if port is None else ["--port", str(port)]
    tensorboard.configure(["", "--logdir", str(logdir), "--host", host, *chosen_port])
    try:
        url = tensorboard.launch()
    except program.TensorBoardServerException as error:
        raise CommandError(f"{error.msg}; choose another --port or --host") from error
    except OSError as error:
        raise CommandError(f"cannot serve on --host {host}: {error}") from error

    print(
        f"\nOpen {url}#sonify\n"
        "and click anywhere on the loss curve: you hear the training from there. Space pauses,\n"
        "a click elsewhere jumps, and A and B switch between two runs at the same step.\n"
        "Ctrl-C ends TensorBoard.",
        flush=True,
    )
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        print()  # the terminal shows ^C without ending the line
    return 0
