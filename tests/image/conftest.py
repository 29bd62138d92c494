"""The CPU image, built as `make image` builds it, or the reason why it cannot be."""

from __future__ import annotations

import pytest

from tools.worker_image.__main__ import build
from tools.worker_image.engine import Engine, NoEngineError, find_engine
from tools.worker_image.order import Order

TAG = "video-worker:test"


@pytest.fixture(scope="session")
def engine() -> Engine:
    try:
        return find_engine()
    except NoEngineError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def image(engine: Engine, pytestconfig: pytest.Config) -> str:
    order = Order.of("cpu", "auto", TAG)
    reporter = pytestconfig.pluginmanager.getplugin("terminalreporter")
    reporter.write_line(build(engine, order))
    return order.tag
