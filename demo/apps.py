"""The demo world: drawn people, tiny networks, and a release made of them."""

from django.apps import AppConfig


class DemoConfig(AppConfig):
    name = "demo"
    verbose_name = "Demo world"
