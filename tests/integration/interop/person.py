"""A person with a browser, who is neither ours nor the judge's."""

import re
from urllib.parse import parse_qsl, urljoin, urlsplit

import requests

SHOP_LOGIN = "https://shop.example.com/login"


class Person:
    """Somebody with a browser that follows nothing by itself; a context manager."""

    def __init__(self, tenant):
        self.web = requests.Session()
        self.web.trust_env = False
        self.web.verify = tenant.ca_file or True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.web.close()

    def open(self, url):
        """Open a URL of the tenant's; return where the tenant sends the browser, None if it shows a page instead."""
        answer = self.web.get(url, allow_redirects=False, timeout=10)
        return answer.headers.get("Location")

    def log_in(self, url, username):
        """Open a URL, fill in the login page that it shows, and return the callback URL."""
        page = self.web.get(url, allow_redirects=False, timeout=10)
        action = (
            re.search(r'action="([^"]+)"', page.text).group(1).replace("&amp;", "&")
        )
        form = {"username": username, "password": "password"}
        answer = self.web.post(
            urljoin(url, action), form, allow_redirects=False, timeout=10
        )
        return self.open(urljoin(url, answer.headers["Location"]))


def query(url):
    """Return what a target application reads from a URL."""
    pairs = parse_qsl(urlsplit(url).query, strict_parsing=True)
    assert len(pairs) == len(dict(pairs))
    return dict(pairs)
