"""What people see of recognition, and do about its files and the library."""

from recognition.admin import library, local, model_files, processes  # noqa: F401
