"""The page of the documentation has every document and every permission."""

import re
import textwrap
from pathlib import Path

import pytest
from healthy import documents

from auth0_stt.doctor import diagnose
from auth0_stt.doctor.documents import SOURCES
from auth0_stt.doctor.report import report

DOCS = Path(__file__).parents[2] / "docs"
pytestmark = pytest.mark.skipif(
    not DOCS.is_dir(), reason="the pages are not in every place where the tests run"
)


@pytest.fixture(scope="module")
def page():
    return (DOCS / "doctor.rst").read_text(encoding="utf-8")


def test_documents(page):
    """Each document is on the page, with the path that it is read from."""
    for source in SOURCES.values():
        assert f"``{source.name}.json``" in page
        assert "``{}".format(re.sub(r"\{\w+\}", "{id}", source.path)) in page


def test_permissions(page):
    """The permissions are exactly those that the reader needs."""
    named = set(re.findall(r"\bread:[a-z_]+", page))
    assert {source.scope for source in SOURCES.values()} == named


def test_sample(page):
    """The sample is what a run prints; ``…`` is what the page leaves out."""
    found = documents()
    found["shop"]["session_transfer"]["delegation"]["allow_delegated_access"] = False
    found["mfa-policies"] = {
        "statusCode": 403,
        "message": "Insufficient scope, expected any of: read:mfa_policies",
    }
    del found["organization"], found["organization-connections"]
    findings = diagnose(
        found,
        subject_token_type="urn:acme:customer",
        target_login_url="https://shop.acme.example/login",
    )
    sample = textwrap.dedent(page.split("--try-login\n", 1)[1].partition("\nThe ")[0])
    pattern = re.escape(sample.strip() + "\n")
    pattern = re.sub(r"(?m)^…\\?$", "(?:.*\\n)*?.*", pattern).replace("…", ".*")
    assert re.fullmatch(pattern, report(findings, found))


def test_the_documented_action():
    """The Action of the documentation is one that the doctor finds right."""
    found = documents()
    code = (DOCS / "action/action.js").read_text(encoding="utf-8")
    found["action"]["deployed_version"]["code"] = code
    assert [] == [each.rule for each in diagnose(found) if each.status == "wrong"]


@pytest.mark.parametrize("name", ["console", "shop"])
def test_the_documented_settings(name):
    """The settings of the documentation are ones that the doctor finds right."""
    import json

    found = documents()
    found[name] = json.loads((DOCS / f"setup/{name}.json").read_text(encoding="utf-8"))
    del found["try-login"]
    assert [] == [each.rule for each in diagnose(found) if each.status == "wrong"]
