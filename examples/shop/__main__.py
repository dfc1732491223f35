"""Start the shop on http://127.0.0.1:8402/, against a local tenant."""
