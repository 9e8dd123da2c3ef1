"""Bring a data folder to the state the service starts from."""

import secrets
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.exceptions import MigrationSchemaMissing
from django.db.migrations.executor import MigrationExecutor

from stashsense import data_folder, turns
from stashsense.preferences.services import take_over_environment

ADMIN_NAME = "admin"
# 96 bits: 16 characters, short enough to be typed from a terminal.
PASSWORD_BYTES = 12


class Command(BaseCommand):
    """Does only what is missing, so that every start may run it.

    1. Put aside a database that is not ours. 2. Migrate. 3. Create the admin user.
    4. Take over settings from the environment. 5. Stamp the database. 6. Set right what
    dead processes have left of releases. 7. Install the demo world where there is no
    release, and no other host may have one. After a crash in between, the next start
    goes on.
    """

    help = "Migrate, create the admin user, install the demo world: what is missing."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--no-demo", action="store_true", help="never install the demo world"
        )

    def handle(self, *args: Any, no_demo: bool, **options: Any) -> None:
        _require_database()
        try:
            with turns.alone("prepare"):
                self._prepare_database()
        except (OperationalError, MigrationSchemaMissing) as error:
            # It names the server and the user, never the password.
            raise CommandError(f"The database cannot be used: {error}") from None
        # Before anybody serves or works; what runs, at other hosts too, is left alone.
        call_command("reconcile_releases", stdout=self.stdout)
        # A host that joins others must not have them all serve drawn people.
        is_shared = connection.vendor != "sqlite"
        if not (no_demo or is_shared or data_folder.has_release(settings.DATA_DIR)):
            self.stdout.write(
                "No release in the data folder: installing the demo world of drawn "
                "people (--no-demo starts without) ..."
            )
            call_command("install_demo", stdout=self.stdout)

    def _prepare_database(self) -> None:
        if connection.vendor == "sqlite":
            self._put_aside()
        self._migrate()
        self._create_admin()
        self._take_over_environment()
        self._stamp()

    def _put_aside(self) -> None:
        aside = data_folder.put_aside_foreign_database(settings.DATA_DIR)
        if aside is not None:
            self.stdout.write(
                f"{settings.DATA_DIR / data_folder.DATABASE_NAME} was made by another "
                f"program, such as the predecessor: it is kept as {aside.name}, and a "
                "new one is made. Nothing is taken over from it."
            )

    def _migrate(self) -> None:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            self.stdout.write("Preparing the database ...")
            call_command("migrate", interactive=False, verbosity=0)

    def _create_admin(self) -> None:
        users = get_user_model().objects
        if users.filter(is_superuser=True).exists():
            return
        password = settings.ADMIN_PASSWORD
        shown = "the password from STASH_SENSE_ADMIN_PASSWORD"
        if password is None:
            password = secrets.token_urlsafe(PASSWORD_BYTES)
            shown = f"the password {password} (shown only now)"
        users.create_superuser(ADMIN_NAME, password=password)
        self.stdout.write(f"Created the user {ADMIN_NAME} with {shown}.")

    def _take_over_environment(self) -> None:
        if taken := take_over_environment():
            self.stdout.write(
                f"Settings taken over from the environment: {', '.join(taken)}. From "
                "now on they are changed in the admin or by the API."
            )

    @staticmethod
    def _stamp() -> None:
        """Say in the database that all of the above is done, for the next start."""
        if connection.vendor == "sqlite":
            with connection.cursor() as cursor:
                cursor.execute(f"PRAGMA user_version = {data_folder.code_stamp():d}")


def _require_database() -> None:
    """Refuse an address that leads to no database; SQLite's file is looked at later."""
    if connection.vendor == "sqlite":
        return
    try:
        connection.ensure_connection()
    except DatabaseError as error:
        # Options that nobody knows are no OperationalError. No password is named.
        raise CommandError(f"The database cannot be used: {error}") from None
