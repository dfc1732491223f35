"""``python -m auth0_stt demo --serve``: the flow in a browser."""


def serve(port: int = 0, open_browser: bool = False) -> int:
    """Serve the playground until interrupted; return the exit code."""
    raise NotImplementedError
