"""The demo world as a Django app, for its commands; it has no models."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "demo"
    verbose_name = "Demo world"
