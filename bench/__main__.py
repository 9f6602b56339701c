"""`python -m bench` measures ratios side by side in one run and prints them as a table.

Example: python -m bench --quick answer
"""

import argparse
import asyncio
import sys
from collections.abc import Awaitable, Callable

from bench import answer, delivery, startup
from bench.table import Figure, render

BENCHES: dict[str, Callable[[bool], Awaitable[list[Figure]]]] = {
    "answer": answer.measure,
    "delivery": delivery.measure,
    "startup": startup.measure,
}


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("only", nargs="*", choices=[*BENCHES, []], help="which to run; all when left out")
    parser.add_argument("--quick", action="store_true", help="fewer rounds and rows: to see that it works")
    given = parser.parse_args()
    figures = []
    for name in given.only or BENCHES:
        print(f"measuring {name} ...", file=sys.stderr, flush=True)
        figures += asyncio.run(BENCHES[name](given.quick))
    print(render(figures))


main()
