"""How long a kernel takes until it has imported what a notebook imports: the ordinary kernel against the warm one.

Paired: each round starts one kernel of either kind, in turn, so that a busy moment hits both. The time runs from the
manager's start to the end of a cell that imports the stack. The start of the fork server is reported by itself: a
batch pays it once.

    python -m bench kernels --rounds 5
"""

import asyncio
import statistics
import sys
import time

from kbio_analysis.render.kernels import KERNEL_NAME, shared_server
from kbio_analysis.render.kernels.manager import PromptManager

CELL = "import pandas, matplotlib.pyplot, statsmodels.api"
ROUNDS = 5


async def start_seconds(kernel_name: str) -> float:
    """Seconds from nothing to a kernel that has run the import cell."""
    manager = PromptManager(kernel_name=kernel_name)
    begun = time.perf_counter()
    await manager.start_kernel()
    channels = manager.client()
    channels.start_channels()
    try:
        await channels.wait_for_ready(timeout=120)
        reply = await channels.execute_interactive(CELL, timeout=120)
        taken = time.perf_counter() - begun
    finally:
        channels.stop_channels()
        await manager.shutdown_kernel(now=True)
    if reply["content"]["status"] != "ok":
        raise SystemExit(f"the import cell failed in kernel {kernel_name}: {reply['content']}")
    if kernel_name == KERNEL_NAME and not manager.provisioner.warm:
        raise SystemExit(f"not a warm kernel: {manager.provisioner.cold_reason}")
    return taken


async def measure(rounds: int) -> dict[str, list[float]]:
    """Seconds of each round by kind: ``server`` (the first warm kernel), ``ordinary`` and ``warm``."""
    seconds = {"server": [await start_seconds(KERNEL_NAME)], "ordinary": [], "warm": []}
    for _ in range(rounds):
        seconds["ordinary"].append(await start_seconds("python3"))
        seconds["warm"].append(await start_seconds(KERNEL_NAME))
    return seconds


def main(rounds: int = ROUNDS) -> int:
    """Measure and print; there is no target to miss."""
    with shared_server():
        seconds = asyncio.run(measure(rounds))
    medians = {kind: statistics.median(values) for kind, values in seconds.items()}
    medians["ratio"] = statistics.median(
        ordinary / warm for ordinary, warm in zip(seconds["ordinary"], seconds["warm"], strict=True)
    )
    print(f"kernel start and imports, median of {rounds} paired rounds:")
    print(f"  ordinary kernel  {medians['ordinary']:6.2f} s")
    print(f"  warm kernel      {medians['warm']:6.2f} s    {medians['ratio']:.1f}x faster")
    print(f"  once a batch, the fork server and its first kernel: {medians['server']:.2f} s")
    return 0


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
