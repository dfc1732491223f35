"""The tenant over HTTP."""
