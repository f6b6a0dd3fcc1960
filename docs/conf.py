"""The documentation as a site: `make docs` writes it to build/site, sounds included."""

import os
import re
import sys
from contextlib import redirect_stdout
from datetime import date
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory

from sphinx.application import Sphinx

from tb_sonify.cli.main import main as tb_sonify

ROOT = Path(__file__).parent.parent
os.environ.setdefault("KERAS_BACKEND", "torch")  # before autodoc imports it
sys.path[:0] = [str(ROOT / "docs")]

project = "tb_sonify"
author = "The tb_sonify authors"
project_copyright = f"{date.today().year}, {author}"
version = release = re.findall(r'(?m)^version = "(.+)"', (ROOT / "pyproject.toml").read_text())[0]

extensions = ["audible", "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["README.md"]
myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist"]
myst_heading_anchors = 4

autodoc_typehints = "description"
autodoc_member_order = "bysource"
autodoc_inherit_docstrings = False  # of frameworks, which would load MathJax
napoleon_google_docstring = False

html_theme = "furo"
html_title = "tb_sonify"
html_theme_options = {
    # As in the dashboard: the playhead's orange, with a contrast of 4.5 on both grounds.
    "light_css_variables": {"color-brand-primary": "#b3400a", "color-brand-content": "#9a3408"}
    | (plain := {"color-sidebar-link-text--top-level": "var(--color-foreground-primary)"}),
    "dark_css_variables": {"color-brand-primary": "#ff9d66", "color-brand-content": "#ffb088"}
    | plain,
}
html_static_path = ["static"]
html_css_files = ["site.css"]
html_js_files = ["site.js"]
html_copy_source = False
html_use_index = False
html_domain_indices = False
html_show_sphinx = False


# Pages whose text is beside docs/
OUTSIDE = {
    "benchmarks": "benchmarks/README.md",
    "changelog": "CHANGELOG.md",
    "contributing": "CONTRIBUTING.md",
    "security": "SECURITY.md",
}


def read_source(app: Sphinx, docname: str, source: list[str]) -> None:
    """Read the pages whose text is elsewhere, and have links lead to them and not out of docs/."""
    if docname in OUTSIDE:
        source[0] = (ROOT / OUTSIDE[docname]).read_text().replace("](docs/", "](")
    for page, path in OUTSIDE.items():
        source[0] = re.sub(rf"\]\((?:\.\./)?{re.escape(path)}", f"]({page}.md", source[0])


# What axe finds in the theme, and its remedy.
REMEDIES = {
    'role="heading">': 'role="heading" aria-level="2">',
    '<aside class="sidebar-drawer"': '<aside aria-label="Pages" class="sidebar-drawer"',
    '<aside class="toc-drawer"': '<aside aria-label="Contents of this page" class="toc-drawer"',
    '<div class="table-wrapper': '<div tabindex="0" role="group" aria-label="Table" '
    'class="table-wrapper',
    '<div id="search-results">': '<h1>Search</h1><div id="search-results">',
    '<th class="head"><p></p></th>': '<td class="head"></td>',
}


def finish(app: Sphinx, exception: Exception | None) -> None:
    """Mend the theme's pages; export the recorded demo, which the dashboard itself then plays."""
    if exception is not None:
        return
    site = Path(app.outdir)
    for path in site.glob("*.html"):
        text = path.read_text()
        for found, remedy in REMEDIES.items():
            text = text.replace(found, remedy)
        path.write_text(text)
    with TemporaryDirectory() as runs, redirect_stdout(StringIO()):
        tb_sonify(["demo", "--recorded", "--no-serve", "--logdir", runs + "/demo"])
        tb_sonify(["export", runs + "/demo", "-o", str(site / "demo")])


def setup(app: Sphinx) -> None:
    """Register what is not an extension."""
    app.connect("source-read", read_source)
    app.connect("build-finished", finish)
