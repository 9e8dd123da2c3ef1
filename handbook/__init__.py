"""The documentation: what builds it, and what of it is written by programs.

`scripts/docs` runs it. Knows the service; nothing of the service knows it, and no image
holds it.
"""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
# Where whoever reads the site finds what is not part of it.
PROJECT_ADDRESS = "https://github.com/carrotwaxr/stash-sense"
