"""`mdm match` on generated customers: seconds and counts of each stage, at two sizes."""

import argparse
import csv
import resource
import tempfile
from pathlib import Path

from harness import Line, show

from mdm.demo.firm import build_firm
from mdm.entities.service import entity_types
from mdm.jobs.files_asked import FilesAsked
from mdm.jobs.match_files import match_files

SIZES = (10_000, 50_000)
SCALE_PER_RECORD = 1 / 1_350  # customer records of the demo firm at scale 1, rounded down


def write_customers(path: Path, count: int) -> None:
    """Write the first `count` customer records of a demo firm that is large enough, each with its system's columns."""
    firm = build_firm(seed=7, scale=count * SCALE_PER_RECORD)
    rows = [record for record in firm.records if record.entity_type == "customer"][:count]
    columns = list(dict.fromkeys(column for record in rows for column in record.fields))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, ["id", "source", *columns])
        writer.writeheader()
        for number, record in enumerate(rows):
            writer.writerow({"id": number, "source": record.instance, **record.fields})


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=int, default=SIZES, metavar="SIZE", help="customers to be generated")
    sizes = parser.parse_args().sizes
    customer = entity_types()["customer"]
    with tempfile.TemporaryDirectory(prefix="mdm-bench-") as folder:
        for size in sizes:
            path = Path(folder) / f"customers-{size}.csv"
            write_customers(path, size)
            found = match_files(FilesAsked([path], customer), listen=(lambda _: None, lambda _: None))
            total = sum(stage.seconds for stage in found.stages)
            lines = [Line(f"{stage.name} ({stage.count:,})", stage.seconds, "s") for stage in found.stages]
            memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            rows = len(found.rows.records.keys)
            lines += [Line("all", total, "s"), Line("records a second", rows / total, "1/s")]
            show(f"mdm match, {rows:,} customers", [*lines, Line("peak memory of the process", memory_mb, "MB")])


if __name__ == "__main__":
    main()
