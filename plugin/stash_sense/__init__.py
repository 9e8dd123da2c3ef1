"""The plugin's backend: what Stash starts for each operation, task and hook.

Standard library only, and nothing newer than Python 3.8. Imports within are relative:
Stash knows this package as `stash_sense`, tests know it as `plugin.stash_sense`.
"""

# The manifest and stash-sense.js say the same; a test compares them.
PLUGIN_ID = "stash-sense"
PLUGIN_VERSION = "1.0.0"
# The first sidecar with the routes that the modes name.
OLDEST_SIDECAR = (1, 0)
