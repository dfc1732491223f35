"""The fixtures for the tests of an application."""

pytest_plugins = ["pytester"]

EXAMPLE = """
pytest_plugins = ["auth0_stt.testing.fixtures"]

def test_flow(local_tenant, session_transfer_token):
    url = "https://shop.example.com/login?session_transfer_token="
    claims = local_tenant.redeem(url + session_transfer_token)
    assert {"sub": "auth0|sam"} == claims["act"]
"""


def test_fixtures(pytester):
    """A test gets a tenant, and a token that opens the shop there."""
    pytester.makepyfile(test_example=EXAMPLE)
    pytester.runpytest_inprocess("-p", "no:cacheprovider").assert_outcomes(passed=1)
