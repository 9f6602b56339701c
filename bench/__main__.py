"""`python -m bench` measures ratios side by side in one run and prints them as a table.

`python -m bench load` has a made-up population use the whole; see its --help.
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable

import bot.telegram.lean  # noqa: F401  # isort: skip  # before aiogram: it defers what aiogram builds
from bench import answer, burst, delivery, latency, load, planning, replicas, startup, throughput
from bench.table import Figure, Size, render

BENCHES: dict[str, Callable[[Size], Awaitable[list[Figure]]]] = {
    "answer": answer.measure,
    "throughput": throughput.measure,
    "replicas": replicas.measure,
    "latency": latency.measure,
    "burst": burst.measure,
    "delivery": delivery.measure,
    "planning": planning.measure,
    "startup": startup.measure,
}


def main() -> None:
    if sys.argv[1:2] == ["load"]:
        load.main(sys.argv[2:])
        return
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        epilog="Example: python -m bench --quick answer burst",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("only", nargs="*", choices=[*BENCHES, []], help="which to run; all when left out")
    sizes = parser.add_mutually_exclusive_group()
    sizes.add_argument("--quick", action="store_true", help="fewer rounds and rows: to see that it works")
    sizes.add_argument("--full", action="store_true", help="also what takes longer than two minutes")
    given = parser.parse_args()
    size = Size.QUICK if given.quick else Size.FULL if given.full else Size.USUAL
    figures = []
    for name in given.only or BENCHES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        figures += asyncio.run(BENCHES[name](size))
    print(render(figures))


main()
