"""kill -9 of the server, the worker and PostgreSQL's backends in a running day, many times.

python3 run.py bench crash [--kills 1000] [--engine sqlite|postgresql|both] [--seed N]
"""

import argparse
import asyncio
import random

from bench.support.figures import figure
from tests.crash.crashing import Outcome, Plan, crash, own_database

_BACKENDS_PER_CENT = 5


def main() -> None:
    options = _options()
    engines = ["sqlite", "postgresql"] if options.engine == "both" else [options.engine]
    for engine in engines:
        with own_database(engine, fsync=True) as (url, folder):
            backends = 0 if engine == "sqlite" else options.kills * _BACKENDS_PER_CENT // 100
            plan = Plan(
                url,
                folder,
                seed=options.seed,
                kills=options.kills - backends,
                backend_kills=backends,
                looks_every=25,
            )
            # What was lost or doubled ends the run with an error that names the seed.
            _say(engine, asyncio.run(crash(plan)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="run.py bench crash", description=__doc__)
    parser.add_argument("--kills", type=int, default=1_000)
    parser.add_argument("--engine", choices=["sqlite", "postgresql", "both"], default="both")
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    return parser.parse_args()


def _say(engine: str, outcome: Outcome) -> None:
    def say(name: str, value: float, goal: str = "") -> None:
        figure(f"crash_{engine}_{name}", value, goal)

    told = outcome.told
    for victim, count in outcome.kills.items():
        say(f"kills_of_{victim}", count)
    say("answered_calls", len(told.calls))
    say("cut_off_calls", told.unanswered)
    say("committed_but_unanswered", told.replayed)
    say("answered_503", told.put_off)
    say("looks_at_the_ledger", outcome.looks)
    say("verify_findings", 0, "=0")
    say("lost", 0, "=0")
    say("doubled", 0, "=0")
    seconds = sorted(outcome.restarts_s)
    say("restart_p50_ms", 1000 * seconds[len(seconds) // 2])
    say("restart_p99_ms", 1000 * seconds[len(seconds) * 99 // 100])


if __name__ == "__main__":
    main()
