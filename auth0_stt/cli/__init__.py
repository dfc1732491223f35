"""The command line, ``auth0-stt``: a module for each command; ``main`` starts them."""
