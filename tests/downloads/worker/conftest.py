"""A site and a worker for the tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.downloads.worker.driver import WorkerProcess
from tests.site import Site


@pytest.fixture
def site() -> Iterator[Site]:
    """The test site on 127.0.0.1, and on 127.0.0.2 and 127.0.0.3, which workers here may not reach."""
    with Site(also=("127.0.0.2", "127.0.0.3")) as running:
        yield running


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorkerProcess]:
    """One worker for all tests of a module: it has to stand many jobs, failed ones among them."""
    with WorkerProcess(tmp_path_factory.mktemp("worker")) as running:
        yield running


@pytest.fixture
def own_worker(tmp_path: Path) -> Iterator[WorkerProcess]:
    """A worker of the test's own, which may be killed."""
    with WorkerProcess(tmp_path) as running:
        yield running
