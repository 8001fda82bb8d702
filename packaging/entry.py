"""What the executable starts. The package itself is never run by path: its folder would shadow other packages."""

import multiprocessing
import sys

from medianest.cli import main

if __name__ == "__main__":
    multiprocessing.freeze_support()
    sys.exit(main())
