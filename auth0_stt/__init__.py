"""Session transfer tokens of Auth0's Session Delegation: sign a support agent in as a customer.

See :func:`request_session_transfer_token` and :func:`build_session_transfer_redirect` for the application that
sends, :func:`session_transfer_params` and :func:`actor_from_claims` for the one that is entered.
"""

__version__ = "0.1.0"

from .actor import resolve_actor_token
from .client_auth import private_key_jwt
from .errors import (
    CustomTokenExchangeError,
    CustomTokenExchangeErrorCode,
    InvalidArgumentError,
    SessionTransferError,
    TransportError,
    TransportErrorCode,
)
from .exchange import request_session_transfer_token
from .models import (
    ID_TOKEN_TYPE,
    SESSION_TRANSFER_TOKEN_TYPE,
    Actor,
    ActorToken,
    SessionTransferTokenResult,
)
from .redirect import REDIRECT_HEADERS, build_session_transfer_redirect
from .target import actor_from_claims, session_transfer_params

__all__ = [
    "ID_TOKEN_TYPE",
    "REDIRECT_HEADERS",
    "SESSION_TRANSFER_TOKEN_TYPE",
    "Actor",
    "ActorToken",
    "CustomTokenExchangeError",
    "CustomTokenExchangeErrorCode",
    "InvalidArgumentError",
    "SessionTransferError",
    "SessionTransferTokenResult",
    "TransportError",
    "TransportErrorCode",
    "__version__",
    "actor_from_claims",
    "build_session_transfer_redirect",
    "private_key_jwt",
    "request_session_transfer_token",
    "resolve_actor_token",
    "session_transfer_params",
]
