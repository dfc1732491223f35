"""The code blocks of the README and of the pages in docs/, for the tests.

A comment before a block names the example that it belongs to. Blocks of one name on one
page are one example, which runs from its first line to its last::

    .. test: console

    .. code-block:: python

        from auth0_stt import request_session_transfer_token

A block in another language may have a name too. A Python block without one fails a test.
"""

import re
import textwrap
from pathlib import Path

from attr import frozen

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.rst", *sorted((ROOT / "docs").glob("**/*.rst"))]

_BLOCK = re.compile(
    r"(?:^(?P<outer> *)\.\. test: (?P<name>[\w-]+)\n\n)?"
    r"^(?P<indent> *)\.\. code-block:: (?P<language>[\w+-]+)\n"
    r"(?:(?P=indent)   +:.*\n)*\n"
    r"(?P<code>(?:(?P=indent)   +\S.*\n|[ ]*\n)+)",
    re.M,
)


@frozen
class Block:
    """One ``code-block``: where it stands, and its text without the indentation."""

    page: str
    line: int
    name: str
    language: str
    text: str


def blocks(path):
    """Return the blocks of a page in their order."""
    source = path.read_text("utf-8")
    return [
        Block(
            path.relative_to(ROOT).as_posix(),
            source.count("\n", 0, match.start("code")) + 1,
            match["name"] or "",
            match["language"],
            textwrap.dedent(match["code"]).strip("\n") + "\n",
        )
        for match in _BLOCK.finditer(source + "\n")
    ]


def in_language(path, language, name=None):
    """Return the text of each block in a language, or of those with a name."""
    return [
        block.text
        for block in blocks(path)
        if block.language == language and name in (None, block.name)
    ]


def code(path, name):
    """Return the Python of an example, in the lines that it has on its page."""
    lines = []
    for block in blocks(path):
        if (block.language, block.name) == ("python", name):
            lines += [""] * (block.line - 1 - len(lines)) + block.text.splitlines()
    assert lines, f"no example {name!r} in {path.name}"
    return "\n".join(lines) + "\n"


def run(path, name, **given):
    """Run an example, with names that its page takes for granted; return its names."""
    scope = {"__name__": name, **given}
    exec(compile(code(path, name), str(path), "exec"), scope)
    return scope


def write_out(path, directory, given):
    """Write each example of a page to a file of its own, for type checkers.

    ``given`` has Python by example: declarations of what the page takes for granted.
    They share the first line with the file, so that errors name the line of the page.
    """
    names = dict.fromkeys(
        block.name for block in blocks(path) if block.language == "python"
    )
    for name in names:
        declared = given.get(name, "").strip()
        stem = re.sub(r"\W", "_", f"{path.stem}_{name}")
        head = ""
        if declared:
            (directory / f"{stem}_given.py").write_text(declared + "\n", "utf-8")
            head = f"from {stem}_given import *\n"
        text = code(path, name)
        if head:
            assert text.startswith("\n"), f"no room above {name!r} in {path.name}"
            text = head + text[1:]
        (directory / f"{stem}.py").write_text(text, "utf-8")
