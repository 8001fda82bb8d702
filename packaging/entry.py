"""What the executable starts. The package itself is never run by path: its folder would shadow other packages."""

import multiprocessing
import sys
from zipimport import zipimporter


class TimeZones:
    """Finds the package `tzdata`, for systems that have no time zones of their own, in the archive of resources."""

    @staticmethod
    def find_spec(name, _path=None, _target=None):
        if name != "tzdata":
            return None
        return zipimporter(f"{sys._MEIPASS}/resources.zip").find_spec(name)


if __name__ == "__main__":
    multiprocessing.freeze_support()
    sys.meta_path.append(TimeZones)
    from medianest.cli import main

    sys.exit(main())
