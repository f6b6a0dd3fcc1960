"""Training scripts of frameworks, in forks of a process that has imported torch."""

import textwrap

# Norms of each layer in float64, as a list of {layer: norm}, one for each step.
REFERENCE = """
    import json, os, sys, torch
    from torch import nn
    torch.set_num_threads(1)
    torch.manual_seed(0)
    expected = []
    def norms(model, only=None):
        found = {}
        for name, module in model.named_modules():
            gradients = [
                p.grad.double().flatten()
                for p in module.parameters(recurse=False)
                if p.grad is not None and (only is None or any(p is other for other in only))
            ]
            if gradients:
                found[name] = torch.cat(gradients).norm().item()
        return found
    def done():
        with open("expected.json", "w") as file:
            json.dump(expected, file)
    """


# Importing a framework takes longer than training with it.
ONE_BY_ONE = """
import os, runpy, sys
for path in sys.argv[1:]:
    os.chdir(os.path.dirname(path))
    runpy.run_path(path, run_name="__main__")
"""


def trained(fork_server, directory, scripts, **environment):
    """Run scripts one after the other in one process, each in the directory of its name.

    A script writes a run to `run` and its reference to `expected.json`.
    """
    paths = []
    for name, script in scripts.items():
        path = directory / name / "script.py"
        path.parent.mkdir()
        path.write_text(textwrap.dedent(REFERENCE) + textwrap.dedent(script))
        paths.append(str(path))
    ended = fork_server.run(ONE_BY_ONE, *paths, directory=directory, environment=environment)
    assert ended.returncode == 0, ended.stdout + ended.stderr
