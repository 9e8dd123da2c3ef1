"""What people see of recognition, and do about its model files."""

from recognition.admin import model_files, processes  # noqa: F401
