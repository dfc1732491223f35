"""Why does it not work on my tenant? Checks on a tenant's settings and its log.

:func:`diagnose` judges JSON documents and touches no network. ``reader`` fetches these
documents from Auth0's Management API, ``report`` prints the findings, ``fixes`` what to
run. The command line puts them together: ``auth0-stt doctor``.
"""

from .diagnosis import diagnose
from .finding import Finding

__all__ = ["Finding", "diagnose"]
