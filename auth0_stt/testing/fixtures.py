"""Fixtures for pytest: ``pytest_plugins = ["auth0_stt.testing.fixtures"]``."""

from typing import Iterator

import pytest

from .. import ID_TOKEN_TYPE, request_session_transfer_token
from . import LocalTenant


@pytest.fixture
def local_tenant() -> Iterator[LocalTenant]:
    """A tenant on loopback, new for each test, with which the whole flow works."""
    with LocalTenant() as tenant:
        yield tenant


@pytest.fixture
def session_transfer_token(local_tenant: LocalTenant) -> str:
    """A session transfer token with which Sam, an agent, may enter Ada's account."""
    result = request_session_transfer_token(
        **local_tenant.console,
        subject_token=local_tenant.subject_token("auth0|ada"),
        subject_token_type=local_tenant.subject_token_type,
        actor_token=local_tenant.agent_tokens()["id_token"],
        actor_token_type=ID_TOKEN_TYPE,
    )
    return result.session_transfer_token
