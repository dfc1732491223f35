"""What the pages say is true as far as a program can tell."""

import inspect
import json
import re
import sys
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import hcl2
import pytest
import test_examples
from release import given
from release.blocks import PAGES, ROOT, blocks, in_language

import auth0_stt
from auth0_stt.rules import RULES

DOCS = [path for path in PAGES if path.parent.name == "docs"]

#: Pages of Auth0 that were looked up in its documentation's repository.
AUTH0_PAGES = {
    "authenticate/custom-token-exchange",
    "authenticate/custom-token-exchange/cte-example-use-cases",
    "authenticate/login/max-age-reauthentication",
    "authenticate/single-sign-on/native-to-web",
    "authenticate/single-sign-on/session-delegation",
    "authenticate/single-sign-on/session-delegation/configure-session-delegation",
    "authenticate/single-sign-on/session-delegation/implement-session-delegation",
    "authenticate/single-sign-on/session-delegation/session-delegation-behavior-and-monitoring",
    "customize/actions/limitations",
    "deploy-monitor/auth0-cli",
}


def ids(paths):
    return [path.name for path in paths]


@pytest.mark.parametrize("path", DOCS, ids=ids(DOCS))
def test_every_example_is_run(path):
    """Each Python block has a name, and each name a test of that name."""
    for block in blocks(path):
        if block.language == "python":
            name = test_examples.test_name(path, block.name)
            where = f"{block.page}:{block.line}"
            assert block.name, f"{where} has no name"
            assert callable(getattr(test_examples, name, None)), f"{where}: no {name}()"


def test_every_test_has_its_example():
    """No test is left behind by an example that is gone."""
    examples = {
        test_examples.test_name(path, block.name)
        for path in DOCS
        for block in blocks(path)
    }
    tests = {
        name
        for name, value in vars(test_examples).items()
        if name.startswith("test_") and "example" in inspect.signature(value).parameters
    }
    assert set() == tests - examples


def test_what_is_given_belongs_to_an_example():
    """No declaration is left behind either."""
    examples = {
        (path.name, block.name)
        for path in PAGES
        for block in blocks(path)
        if block.language == "python"
    }
    assert (
        set()
        == {(page, name) for page, names in given.GIVEN.items() for name in names}
        - examples
    )


@pytest.mark.parametrize("path", PAGES, ids=ids(PAGES))
def test_data_can_be_read(path):
    """Each block of JSON and of Terraform's language is well-formed."""
    for text in in_language(path, "json"):
        json.loads(text)
    for text in in_language(path, "hcl"):
        hcl2.loads(text)


@pytest.mark.parametrize("path", DOCS, ids=ids(DOCS))
def test_files_that_are_named_exist(path):
    """Whoever looks for a file finds it."""
    named = re.findall(
        r"``((?:auth0_stt|docs|examples|tests)/[\w./-]*)``", path.read_text("utf-8")
    )
    assert [] == [name for name in named if not (ROOT / name).exists()]


@pytest.mark.parametrize("path", DOCS, ids=ids(DOCS))
def test_what_is_included_is_named(path):
    """A code host shows no includes: the text just above each one names the file."""
    text = path.read_text("utf-8")
    above = 0
    for include in re.finditer(
        r"^\.\. literalinclude:: (.*)\n(?: +:.*\n)*", text, re.M
    ):
        file = (path.parent / include[1]).resolve().relative_to(ROOT).as_posix()
        assert f"``{file}``" in text[above : include.start()]
        above = include.end()
    for name in re.findall(r"^\.\. command-help:: (.*)", text, re.M):
        assert f"``auth0-stt {name} --help`` prints" in text


@pytest.mark.parametrize("path", DOCS, ids=ids(DOCS))
def test_auth0_pages_are_known(path):
    """A link to Auth0 leads to a page that was there when it was written."""
    linked = re.findall(r":auth0:`[^<`]*<([^>#]+)[^>]*>`", path.read_text("utf-8"))
    assert set() == set(linked) - AUTH0_PAGES


class Links(HTMLParser):
    """What a page links to, and the anchors that it has."""

    def __init__(self, path):
        super().__init__()
        self.targets, self.anchors = set(), set()
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id":
                self.anchors.add(value)
            elif (tag, name) == ("a", "href"):
                self.targets.add(value)


class TestBuilt:
    def test_links_within_lead_somewhere(self, html):
        """Each link from one page to another finds its file and its anchor."""
        pages = {path.name: Links(path) for path in html.glob("*.html")}
        broken = []
        for name, page in pages.items():
            for target in page.targets:
                file, _, anchor = target.partition("#")
                if re.match(r"[a-z]+:", target) or not target.strip("#"):
                    continue
                found = pages.get(file or name)
                if found is None or (anchor and unquote(anchor) not in found.anchors):
                    broken.append((name, target))
        assert len(pages) > len(DOCS)
        assert [] == broken

    def test_every_rule_has_its_anchor(self, html):
        """The page of rules has them all, so that the doctor may link them."""
        anchors = Links(html / "rules.html").anchors
        assert set() == {f"rule-{name}" for name in RULES} - anchors

    def test_every_public_name_is_described(self, html):
        """The API page has an entry for each name that can be imported."""
        anchors = Links(html / "api.html").anchors
        names = {f"auth0_stt.{name}" for name in auth0_stt.__all__}
        assert {"auth0_stt.__version__"} == names - anchors

    def test_other_sites(self, html):
        """Links lead to Auth0's documentation, by https, and to few others."""
        hosts = {
            urlsplit(target).hostname
            for path in html.glob("*.html")
            for target in Links(path).targets
            if target.startswith("http")
        }
        assert {"auth0.com", "pypi.org"} >= hosts - {"pradyunsg.me", "github.com"}


def test_the_tests_run_a_python_that_the_examples_are_written_for():
    """The examples use the syntax of Python 3.10."""
    assert sys.version_info >= (3, 10)
