"""What Stash starts: one JSON document on stdin, one on stdout."""

import sys

# Stash's package manager removes the files it brought, and the folder only if nothing
# else is in it.
sys.dont_write_bytecode = True

from stash_sense.entry import main  # noqa: E402

if __name__ == "__main__":
    main(sys.argv[1:])
