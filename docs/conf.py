"""How Sphinx builds the pages: ``sphinx-build -W -n docs docs/_build``."""

import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE.parent), str(HERE / "_ext")]

import auth0_stt  # noqa: E402

project = "auth0-stt"
author = "auth0-stt maintainers"
copyright = "the auth0-stt maintainers"  # noqa: A001
version = release = auth0_stt.__version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.extlinks", "rules_page", "command_help"]
exclude_patterns = ["_build", "action/node_modules"]

# Every name that a page refers to must be there.
nitpicky = True
nitpick_ignore_regex = [
    # Of other projects, whose inventories would need the network.
    ("py:.*", r"(requests|attr|typing|pathlib|flask|collections)\..*"),
    ("py:.*", r"(Session|ValueError|Exception|optional)"),
    # Of ours, but not described one by one.
    ("py:.*", r"auth0_stt\.(rules|testing\.tenant\..*)"),
    ("py:.*", r"(Any|Callable|Dict|List|Mapping|Optional|Sequence|Tuple|Type|Union)"),
]

# Dashes, but no curly quotes: what is in quotes gets copied.
smartquotes_action = "D"

# Auth0's pages, by their path.
extlinks = {"auth0": ("https://auth0.com/docs/%s", None)}
extlinks_detect_hardcoded_links = True

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_maximum_signature_line_length = 72

html_theme = "furo"
html_title = "auth0-stt"
html_copy_source = False
html_show_sphinx = False
html_theme_options = {"navigation_with_keys": False}
