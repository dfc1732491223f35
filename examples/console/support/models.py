"""Who may enter an account, whose account, and who entered which and why."""

from django.conf import settings
from django.db import models


class Agent(models.Model):
    """A user of this console who signs in with Auth0."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE)
    sub = models.CharField("Auth0 user ID", max_length=255, unique=True)

    def __str__(self) -> str:
        return f"{self.user} ({self.sub})"


class Customer(models.Model):
    id = models.CharField("Auth0 user ID", max_length=255, primary_key=True)
    name = models.CharField(max_length=100)

    class Meta:
        ordering = ("name",)
        # Give it to a group: a user without it sees no customer and enters no account.
        permissions = (("enter_customer", "Can enter a customer's account"),)

    def __str__(self) -> str:
        return f"{self.name} ({self.id})"


class Entry(models.Model):
    """The audit record, written before anything is asked of Auth0."""

    agent = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT)
    customer = models.ForeignKey(Customer, models.PROTECT)
    reason = models.CharField(max_length=200)
    ip = models.GenericIPAddressField()
    at = models.DateTimeField(auto_now_add=True)
    outcome = models.CharField(max_length=50, default="requested")

    class Meta:
        verbose_name_plural = "entries"

    def __str__(self) -> str:
        return f"{self.agent} entered {self.customer}: {self.outcome}"

    def close(self, outcome: str) -> None:
        """Store the outcome: ``issued``, or the code of the error."""
        self.outcome = outcome
        self.save(update_fields=("outcome",))
