"""What people see of recognition, and do about its files and the library."""

from recognition.admin import (  # noqa: F401
    evaluations,
    fingerprints,
    library,
    local,
    model_files,
    people_groups,
    processes,
)
