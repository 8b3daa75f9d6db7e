"""The one search on many golden records: how long what a steward types takes, by kind of question.

The hub is filled by `fill_search`; `--home` keeps it for another run. Each kind of question is asked with other words
each time, after a few that warm up the caches; wall-clock of the service with its transaction, without HTTP.
"""

import argparse
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from random import Random
from statistics import median

import psycopg
from fill_search import INSTANCES, OBJECTS, company, fill_search, golden_id
from harness import Line, cpu_s, hub_home, show
from sqlalchemy import text

from mdm.access.limits import Limits
from mdm.db.engine import conninfo
from mdm.db.migrate import upgrade
from mdm.db.provide import hub_database
from mdm.hub import Hub, open_hub
from mdm.settings import Settings
from mdm.stewardship.find import find

P95_MS = 100.0
SEED = 7
Ask = Callable[[Random, int], str]


def slipped(random: Random, name: str) -> str:
    """Make one slip of the keyboard in the longest word of a name: a letter missing, doubled, wrong or swapped."""
    word = max(name.split(), key=len)
    place = random.randrange(len(word) - 1)
    wrong = random.choice(
        (
            word[:place] + word[place + 1 :],
            word[:place] + word[place] + word[place:],
            word[:place] + "x" + word[place + 1 :],
            word[:place] + word[place + 1] + word[place] + word[place + 2 :],
        )
    )
    return name.replace(word, wrong, 1)


def name_of(number: int) -> str:
    """Give the legal name of a golden customer."""
    return str(company(number)["legal_name"])


def native_id(number: int) -> tuple[str, str, str]:
    """Give the first source key of a golden customer."""
    instance = number % len(INSTANCES)
    prefix = "001" if instance == 0 else "C" if instance == 2 else ""
    return INSTANCES[instance], OBJECTS[instance], f"{prefix}{number * 3:07d}"


def spaced(number: str) -> str:
    """Write a number as people do: in groups of three."""
    return " ".join(number[place : place + 3] for place in range(0, len(number), 3))


KINDS: dict[str, Ask] = {
    "golden id": lambda _, n: golden_id(n),
    "beginning of a golden id": lambda _, n: golden_id(n)[:24],
    "source key": lambda _, n: "{}/{}:{}".format(*native_id(n)),
    "bare native id": lambda _, n: native_id(n)[2],
    "beginning of a native id": lambda _, n: native_id(n)[2][:6],
    "tax id in groups": lambda _, n: spaced(company(n)["tax_ids"][0]),
    "phone as dialled at home": lambda _, n: "0" + company(n)["phones"][0].split(" ", 1)[1].replace(" ", "-"),
    "web site": lambda _, n: company(n)["website"] + "/about",
    "e-mail address": lambda _, n: company(n)["emails"][0].upper(),
    "whole name": lambda _, n: name_of(n),
    "name without legal form": lambda _, n: name_of(n).rsplit(" ", 1)[0],
    "name with a slip": lambda random, n: slipped(random, name_of(n)),
    "own word of the name, as typed: four letters": lambda _, n: name_of(n)[:4],
    "word that thousands share": lambda random, _: random.choice(("consulting", "group", "international", "gmbh")),
    "name and city": lambda _, n: f"{name_of(n).split()[0]} {company(n)['city']}",
    "two common words": lambda random, _: random.choice(("energy group", "software solutions", "media capital ltd")),
    "nothing there": lambda _, n: f"xq{n} zwv{n}",
}


def timed(hub: Hub, limits: Limits, ask: Ask, *, rounds: int, count: int) -> tuple[list[float], float, float]:
    """Ask one kind of question many times.

    returns  milliseconds of each, mean processor milliseconds, how often what was meant is among the first 20
    """
    random = Random(SEED)
    taken: list[float] = []
    shown, busy = 0, 0.0
    with hub.engine.connect() as connection:  # the pool has one connection: the session that will be asked
        session_id = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
    for round_ in range(rounds + 5):
        number = random.randrange(count)
        question = ask(random, number)
        if round_ == 5:
            busy = time.process_time() + cpu_s(session_id)
        started = time.perf_counter()
        found = find(hub, question, limits=limits)
        if round_ >= 5:
            taken.append((time.perf_counter() - started) * 1e3)
            shown += golden_id(number) in {hit.golden_id for hit in found.hits}
    busy = time.process_time() + cpu_s(session_id) - busy
    return sorted(taken), busy / rounds * 1e3, shown / rounds


def main() -> None:
    """Fill, measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--golden", type=int, default=1_000_000, help="golden records")
    parser.add_argument("--rounds", type=int, default=60, help="questions of each kind")
    parser.add_argument("--home", type=Path, help="keep the hub here, and use what is there")
    parser.add_argument("--fill-only", action="store_true")
    asked = parser.parse_args()
    with ExitStack() as opened:
        home = asked.home or opened.enter_context(hub_home())
        settings = Settings(home=home, pool_size=1)
        url = opened.enter_context(hub_database(settings))
        upgrade(url)
        hub = opened.enter_context(open_hub(settings, url))
        with psycopg.connect(conninfo(url)) as connection:
            (there,) = connection.execute("SELECT count(*) FROM golden_search").fetchone() or (0,)
        if not there:
            started = time.perf_counter()
            fill_search(conninfo(url), asked.golden)
            print(f"filled {asked.golden:,} golden records in {time.perf_counter() - started:.0f} s")
        count = there or asked.golden
        if asked.fill_only:
            return
        limits = Limits.none(hub.declared)
        lines, every = [], []
        for kind, ask in KINDS.items():
            taken, busy, shown = timed(hub, limits, ask, rounds=asked.rounds, count=count)
            every += taken
            lines.append(Line(f"{kind}, median", median(taken), "ms"))
            lines.append(Line(f"{kind}, processor time", busy, "ms"))
            lines.append(Line(f"{kind}, shown among the first 20", shown * 100, "% of them"))
            lines.append(Line(f"{kind}, p95", taken[int(len(taken) * 0.95)], "ms", P95_MS))
        lines.append(Line("all kinds together, p95", sorted(every)[int(len(every) * 0.95)], "ms", P95_MS))
    show(f"Find among {count:,} golden records", lines)


if __name__ == "__main__":
    main()
