"""Each example of the pages, run as it stands.

``test_errors_retry`` runs the blocks named ``retry`` on the page ``errors.rst``: the
fixture ``example`` finds them by the name of the test.
"""

import re

import pytest
from release.blocks import PAGES, blocks, run


def test_name(path, name):
    """Return the name of the test that runs an example."""
    return "test_" + re.sub(r"\W", "_", f"{path.stem}_{name}")


test_name.__test__ = False


@pytest.fixture
def example(request):
    """A function that runs the example with what its page takes for granted."""
    ((path, name),) = {
        (path, block.name)
        for path in PAGES
        for block in blocks(path)
        if block.name and request.function.__name__ == test_name(path, block.name)
    }
    return lambda **given: run(path, name, **given)
