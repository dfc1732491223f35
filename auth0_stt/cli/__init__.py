"""The command line, ``auth0-stt``: one module for each command; ``main`` starts them."""
