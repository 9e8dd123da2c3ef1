"""Which pages of the site are written by no person, by their path below docs."""

from handbook import error_reference, project_pages, rest_reference, settings_reference

PATHS_FROM_FILES = {
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
}


def pages() -> dict[str, str]:
    """Return all of them, as Markdown."""
    return {
        **{
            path: project_pages.read_project_page(source)
            for path, source in PATHS_FROM_FILES.items()
        },
        "adr/index.md": project_pages.list_of_decisions(),
        "reference/settings.md": settings_reference.page(),
        "reference/errors.md": error_reference.page(),
        **rest_reference.pages(),
    }
