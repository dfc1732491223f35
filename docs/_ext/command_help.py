"""The directive ``command-help``: what ``auth0-stt COMMAND --help`` prints."""

import os
import subprocess
import sys

from docutils import nodes
from sphinx.util.docutils import SphinxDirective


class CommandHelp(SphinxDirective):
    """Insert the help of a command, so that the page says what the program says."""

    required_arguments = 1

    def run(self):
        command = [sys.executable, "-m", "auth0_stt", self.arguments[0], "--help"]
        done = subprocess.run(
            command,
            cwd=os.path.dirname(self.env.srcdir),
            env={**os.environ, "COLUMNS": "80", "NO_COLOR": "1"},
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise self.error(done.stderr)
        return [nodes.literal_block(text=done.stdout, language="text")]


def setup(app):
    app.add_directive("command-help", CommandHelp)
    return {"parallel_read_safe": True}
