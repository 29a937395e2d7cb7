"""Lets ``python -m atomotif`` do what ``atomotif`` does."""

import sys

from atomotif.cli import main

sys.exit(main())
