"""What an agent fills in before entering an account."""

from django import forms
from django.core.validators import RegexValidator


class EntryForm(forms.Form):
    # CharField strips: a blank reason is no reason.
    reason = forms.CharField(max_length=200)
    # The page of the shop that the ticket is about. The shop checks it again.
    page = forms.CharField(
        max_length=200,
        required=False,
        validators=[RegexValidator(r"^/[!-~]*\Z", "A path, such as /orders/4711.")],
    )
