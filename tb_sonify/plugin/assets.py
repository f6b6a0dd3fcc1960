"""Scripts of the dashboard, as they are built."""

from pathlib import Path

BUNDLE = Path(__file__).parent / "static" / "index.js"
PARTS = BUNDLE.parent / "parts"

# Shown in a checkout where the dashboard is not built.
_NOT_BUILT = """\
export function render() {
  document.documentElement.lang = "en";
  document.title = "Sonify";
  const main = document.createElement("main");
  main.style.cssText = "font: 16px/1.5 sans-serif; margin: 2rem; max-width: 40rem; padding: 1rem;"
    + " background: #fff; color: #222;";
  const heading = document.createElement("h1");
  heading.textContent = "The Sonify dashboard is not built";
  const command = document.createElement("code");
  command.textContent = "make frontend";
  const help = document.createElement("p");
  help.append("In the checkout of tb_sonify, run ", command, ", then reload this page.");
  main.append(heading, help);
  document.body.append(main);
}
"""


def read_script() -> bytes:
    """The dashboard, an ES module; where it is not built, one that says how to build it."""
    try:
        return BUNDLE.read_bytes()
    except FileNotFoundError:
        return _NOT_BUILT.encode()


def read_part(name: str) -> bytes:
    """A part of the dashboard, by the name of its file.

    Raises
    ------
    LookupError
        If there is no such part.
    """
    # Only listed names are opened: a request cannot lead anywhere else.
    found = {path.name: path for path in PARTS.glob("*.js")}
    if name not in found:
        raise LookupError(f"the dashboard has no part {name!r}; reload the page")
    return found[name].read_bytes()
