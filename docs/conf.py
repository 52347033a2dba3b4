"""How Sphinx builds the docs into a site: `make site`.

Nothing on a built page is fetched from elsewhere, and no code of a notebook is run.
"""

import shutil
from pathlib import Path

from sphinx.application import Sphinx

project = "walkaway"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["**.ipynb_checkpoints"]

myst_heading_anchors = 3  # the anchors that GitHub gives the same headings
highlight_language = "none"  # indented blocks are shell commands, settings or formulas; Python blocks say that they are
nb_execution_mode = "off"  # pages show the outputs stored in the notebooks; a test runs the notebooks

default_role = "code"  # single backticks in docstrings are code, as in Markdown
autodoc_default_options = {"members": True, "exclude-members": "model_config"}
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True  # defaults as they are written, not as they print
napoleon_custom_sections = ["Returns"]  # prose: the usual section takes what stands before a colon for a type

html_theme = "pydata_sphinx_theme"
html_title = "walkaway"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_use_index = False
html_domain_indices = False
html_theme_options = {
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
}
html_sidebars = {"index": [], "method": []}  # pages without others beside them


def copy_notebooks(docs: Path) -> None:
    """Put the notebooks below the docs: Sphinx reads one folder only, and they belong to the project's root."""
    shutil.rmtree(docs / "notebooks", ignore_errors=True)
    for notebook in sorted((docs.parent / "notebooks").glob("*.ipynb")):
        (docs / "notebooks").mkdir(exist_ok=True)
        shutil.copy(notebook, docs / "notebooks")


def setup(app: Sphinx) -> None:
    """Called by Sphinx before it looks for pages."""
    copy_notebooks(Path(app.srcdir))
