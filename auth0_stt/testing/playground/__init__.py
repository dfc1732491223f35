"""``auth0-stt demo --serve``: the flow in a browser, and a switch for each failure."""

from .server import Playground, serve

__all__ = ["Playground", "serve"]
