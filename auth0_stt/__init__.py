"""Session transfer tokens of Auth0's Session Delegation.

They sign a support agent in as a customer. The application that sends the agent uses
:func:`request_session_transfer_token` and :func:`build_session_transfer_redirect`; the
one that is entered uses :func:`session_transfer_params` and :func:`actor_from_claims`.
"""

__version__ = "0.1.0"

from .actor import resolve_actor_token
from .client_auth import ClientSettings, private_key_jwt
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
from .target import (
    DELEGATED_SESSION_LIFETIME,
    actor_from_claims,
    build_logout_url,
    session_transfer_params,
)

# The application that sends the agent.
__all__ = ["build_session_transfer_redirect", "request_session_transfer_token"]
__all__ += ["REDIRECT_HEADERS", "private_key_jwt", "resolve_actor_token"]
__all__ += ["ActorToken", "ClientSettings", "SessionTransferTokenResult"]
__all__ += ["ID_TOKEN_TYPE", "SESSION_TRANSFER_TOKEN_TYPE", "__version__"]
# The application that is entered.
__all__ += ["actor_from_claims", "build_logout_url", "session_transfer_params"]
__all__ += ["DELEGATED_SESSION_LIFETIME", "Actor"]
# What they raise.
__all__ += ["CustomTokenExchangeError", "InvalidArgumentError", "SessionTransferError"]
__all__ += ["CustomTokenExchangeErrorCode", "TransportError", "TransportErrorCode"]
