"""Start the shop, against ``auth0-stt tenant``: ``python examples/shop``."""

import logging
import os
import secrets

# What that tenant always has. Environment variables take precedence.
LOCAL = {
    "SHOP_DOMAIN": "http://127.0.0.1:8400",
    "SHOP_CLIENT_ID": "shop",
    "SHOP_CLIENT_SECRET": "shop-secret-of-the-local-tenant",
    "SHOP_PORT": "8402",
    "SHOP_SCHEME": "http",
    "SHOP_SECRET_KEY": secrets.token_hex(),
}

if __name__ == "__main__":
    for name, value in LOCAL.items():
        os.environ.setdefault(name, value)
    from shop import app

    # No access log: the login URL has the token in it.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    port = int(os.environ["SHOP_PORT"])
    print(f"The shop is at http://127.0.0.1:{port}/", flush=True)
    app.run("127.0.0.1", port)
