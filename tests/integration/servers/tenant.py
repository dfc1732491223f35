"""A LocalTenant over TLS in a process of its own: `python tenant.py CALLBACK`.

Prints how to reach it; then, for each line that it reads, whom and what each token that it issued is for; ends with
its standard input.
"""

import json
import sys

from auth0_stt.testing import LocalTenant


def action(event, api):
    """Take the customer's id as proof, and keep the reason with the token: that tells one answer from another."""
    api.authentication.setUserById(event.transaction.subject_token)
    agent = event.transaction.actor_token_user.user_id
    api.authentication.setActor({"sub": agent, "reason": event.request.body["reason"]})


def main(callback):
    with LocalTenant(tls=True) as tenant:
        tenant.action = action
        tenant.settings["console"]["callbacks"] = [callback]
        told = {
            "console": tenant.console,
            "ca_file": tenant.ca_file,
            "port": tenant.port,
        }
        told["id_token"] = tenant.agent_tokens()["id_token"]
        print(
            json.dumps({**told, "subject_token_type": tenant.subject_token_type}),
            flush=True,
        )
        for _ in sys.stdin:
            issued = tenant.records.session_transfer_tokens.items()
            print(
                json.dumps(
                    {
                        stt: [token.user_id, token.actor["reason"]]
                        for stt, token in issued
                    }
                ),
                flush=True,
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
