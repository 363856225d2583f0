"""`python -m vidmodel_tf` is `vidmodel`."""

import sys

from vidmodel_tf.cli import main

if __name__ == "__main__":
    sys.exit(main())
