"""Agents, customers and entries in Django's admin, if the project has it."""

from typing import Any

from django.contrib import admin

from .models import Agent, Customer, Entry

admin.site.register([Agent, Customer])


@admin.register(Entry)
class EntryAdmin(admin.ModelAdmin):
    """The audit record is for reading."""

    list_display = ("at", "agent", "customer", "reason", "ip", "outcome")

    def has_add_permission(self, request: Any) -> bool:
        return False

    def has_change_permission(self, request: Any, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: Any, obj: Any = None) -> bool:
        return False
