"""``python -m tools.worker_image``: build the worker's image, unless it is there already."""

from __future__ import annotations

import argparse
import subprocess
import sys
import time

from tools.worker_image.engine import Engine, NoEngineError, find_engine
from tools.worker_image.order import Order, OrderError


def main() -> int:
    """Build, and say what there is now."""
    parser = argparse.ArgumentParser(prog="worker_image", description=__doc__)
    parser.add_argument("--variant", choices=["cpu", "gpu"], default="cpu")
    parser.add_argument("--model", default="auto")
    parser.add_argument("--tag", default="")
    parser.add_argument("--base", default="", help="base image instead of that of the Dockerfile")
    arguments = parser.parse_args()
    try:
        order = Order.of(arguments.variant, arguments.model, arguments.tag, arguments.base)
        print(build(find_engine(), order))
    except (OrderError, NoEngineError) as error:
        print(f"The image cannot be built: {error}", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"The image was not built: {error.cmd[0]} failed, as it says above", file=sys.stderr)
        return 1
    return 0


def build(engine: Engine, order: Order) -> str:
    """Build the image if something that it consists of has changed; a line that says so."""
    began = time.monotonic()
    is_new = engine.inputs_hash(order.tag) != order.inputs_hash()
    if is_new:
        engine.build(order)
    how = f"built with {engine.name} in {time.monotonic() - began:.0f} s" if is_new else "nothing has changed"
    return f"Image: {order.tag}, {engine.size(order.tag)}, model {order.model.name} ({how})"


if __name__ == "__main__":
    sys.exit(main())
