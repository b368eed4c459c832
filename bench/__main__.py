"""``python -m bench [NAME ...]``: run the benchmarks named, or all of them; exit with 1 if a target was missed."""

import argparse
import importlib
import sys

BENCHMARKS = {
    "speed": ("bench.batch_speed", "batches against papermill + nbconvert and against the cells' own time"),
    "memory": ("bench.batch_memory", "200 reports in one batch: memory, open files, processes"),
    "cluster": ("bench.cluster_speed", "two Dask workers against two local processes"),
    "placebos": ("bench.placebos", "in-space placebos of a synthetic control against a loop of pysyncon"),
    "bias": ("bench.structural_bias", "structural gravity: bias by halves of the economies, and pretended agreements"),
    "gravity": ("bench.published_gravity", "gravity tables printed by others; needs their data"),
}


def main() -> int:
    """Run what is named; returns 1 if any of them missed a target."""
    listed = "\n".join(f"  {name:<9} {what}" for name, (_, what) in BENCHMARKS.items())
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=listed, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--rounds", type=int, default=3, help="paired rounds of each comparison (default 3)")
    options = parser.parse_args()
    if unknown := set(options.names) - set(BENCHMARKS):
        parser.error(f"no benchmark {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    sys.stdout.reconfigure(line_buffering=True)
    missed = []
    for name in options.names or BENCHMARKS:
        module, what = BENCHMARKS[name]
        print(f"\n== {name}: {what}", flush=True)
        if importlib.import_module(module).main(options.rounds):
            missed.append(name)
    if missed:
        print(f"\nmissed a target: {', '.join(missed)}")
    return int(bool(missed))


if __name__ == "__main__":
    sys.exit(main())
