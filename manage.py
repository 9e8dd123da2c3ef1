#!/usr/bin/env python
"""The command line of Stash Sense: Django's, with our commands."""

import os
import sys

from django.core.management import execute_from_command_line

from stashsense import data_folder

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "stashsense.settings")
    data_folder.write_for_owner_only()
    execute_from_command_line(sys.argv)
