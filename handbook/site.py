"""What mkdocs calls while it builds: pages that are made, and links out of docs."""

import django
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from handbook import project_pages


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that are made of the code and of files outside docs."""
    # Before anything that reads settings is imported.
    django.setup()
    from handbook import generated

    for path, markdown in generated.pages().items():
        files.append(File.generated(config, path, content=markdown))
    return files


def on_page_markdown(
    markdown: str, *, page: Page, config: MkDocsConfig, files: Files
) -> str:
    """Return the page with links to files outside docs made into addresses."""
    return project_pages.with_links_for_the_site(markdown, page.file.src_uri)
