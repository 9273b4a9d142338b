"""`python -m swift_hyperband` is the command `swift-hyperband`."""

import sys

from swift_hyperband.cli import main

sys.exit(main())
