"""What the doctor says about one rule."""

from typing import Optional

from attr import frozen


@frozen
class Finding:
    """One rule, judged. Every text is for people; none holds a secret or a token."""

    #: The id of the rule in ``auth0_stt.rules``.
    rule: str
    #: ``"ok"``, ``"wrong"``, or ``"unknown"`` if it could not be read.
    status: str
    #: The application that the rule is about, if it is about one.
    client_id: Optional[str]
    #: The dotted path of the setting, None for a rule of code or behaviour.
    setting: Optional[str]
    expected: str
    #: What is there instead, or why nothing can be said.
    found: str
    #: What one sees if the rule is broken.
    symptom: str
    #: What corrects it.
    fix: str
    #: The document it was read in, such as ``"shop"`` or ``"logs"``.
    source: Optional[str]
