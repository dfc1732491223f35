"""``auth0 api get PATH -q NAME=VALUE``: as much of the Auth0 CLI as the doctor's help uses.

As in its option parser (pflag's stringToString), a value with one equals sign is one pair.
"""

import argparse
import os
import sys

import requests

parser = argparse.ArgumentParser()
parser.add_argument("words", nargs=3)
parser.add_argument("-q", action="append", default=[])
given = parser.parse_args()
if given.words[:2] != ["api", "get"] or any(each.count("=") != 1 for each in given.q):
    sys.exit("not as the Auth0 CLI takes it")
answer = requests.get(
    "{}/api/v2/{}".format(os.environ["AUTH0_DOMAIN"], given.words[2]),
    params=dict(each.split("=") for each in given.q),
    headers={"Authorization": "Bearer " + os.environ["AUTH0_MANAGEMENT_TOKEN"]},
    timeout=30,
)
answer.raise_for_status()
sys.stdout.write(answer.text)
