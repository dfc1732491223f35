"""Agents, customers and entries in Django's admin, if the project has it."""

from django.contrib import admin

from .models import Agent, Customer, Entry

admin.site.register([Agent, Customer, Entry])
