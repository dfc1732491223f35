"""What gunicorn reads before it imports the application."""

import os

if os.environ["CONSOLE_WORKERS"] == "gevent":
    # With --preload gunicorn itself would patch after the import of ssl, which breaks every client of TLS.
    from gevent import monkey

    monkey.patch_all()
