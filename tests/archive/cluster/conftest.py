"""What the tests of clusters share."""

import gc
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _dropped_connections() -> Iterator[None]:
    """Collect the connections that Dask drops unclosed when the other side dies, while their warning is ignored."""
    yield
    gc.collect()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.parent.name == "cluster":
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning"))
            item.add_marker(
                pytest.mark.filterwarnings(
                    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
                )
            )
