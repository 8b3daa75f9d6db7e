"""A page with every value and drawing of the console on it, for looking at and for tests.

`python -m tests.specimen page.html [dark] [de|ar]` writes it; open it in a browser. Its style
sheets are the console's, its own comes last.
"""

import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.console.drawings.bars import Part, bars
from api.console.drawings.described import Described, tone
from api.console.drawings.graph import Graph, Link, Record, graph
from api.console.drawings.ring import ring
from api.console.drawings.spark import spark
from api.console.drawings.timeline import Happening, timeline
from api.console.drawings.tree import Branch, tree
from api.console.drawings.waterfall import waterfall
from api.console.views.differences import Value, code_differences, column_differences, differences
from api.console.views.filters import FILTERS
from api.console.views.words import words

HERE: Final = Path(__file__).parent
CONSOLE: Final = HERE.parent / "api" / "console"
NOW: Final = datetime(2026, 11, 25, 9, 12, tzinfo=UTC)

NASTY: Final = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title><svg onload=alert(1)>",
    "javascript:alert(1)",
    "{{ 7*7 }} {% raw %}",
    "&lt;b&gt; &amp; &#60;",
    "Acme \u202egnitlusnoC\u202c Ltd",
    "\u2066\u2067Acme\u2069",
    "Ac\u200bme\u200b\u200b Ltd",
    "\ufeffAcme",
    "Acme\u00ad\u2060Ltd",
    "Acme\U000e0041\U000e0063\U000e006d\U000e0065",
    "\x00\x1b[31mred\x07",
    "line one\nline two\tindented",
    "Z\u0301\u0302\u0303\u0304\u0305\u0306\u0307\u0308\u0309\u030a\u030b\u030c\u030d\u030e\u030falgo",
    "\u0301\u0302",
    "a\ufe0fb\ufe0e\ufe0f",
    "\ue000\uf8ff\U000f0000",
    "\ud800 lone surrogate",
    "\u3164\u115f\u2800",
    "   ",
    "شركة الخليج للاستشارات",
    "חברת ייעוץ (2019) בע״מ",
    "می‌خواهم مشاوره",
    "株式会社トヨタ自動車 葛\U000e0100飾",
    "👨‍👩‍👧 ❤️ 1️⃣ 🇩🇪 👍🏽",
    "Ǆ ﷽ ẞ ﬃ",
    "ⅷ ½ ٣٤",
    '=HYPERLINK("http://x","y")',
    "W" * 120,
    "lorem ipsum " * 400,
)
PAIRS: Final[tuple[tuple[str, str, str, str, str, Callable[..., Any]], ...]] = (
    (
        "Legal name",
        "Brightwater Consulting Ltd",
        "brightwater consulting",
        "BRIGHTWATER CONSULTING LIMITED",
        "brightwater consulting",
        differences,
    ),
    ("Trading name", "Brightwater", "brightwater", "Brightwater Advisory", "brightwater advisory", differences),
    ("VAT number", "GB 284 6615 09", "", "", "", code_differences),
    ("Company number", "07461923", "", "07461932", "", code_differences),
    ("Web domain", "brightwater.co.uk", "", "brightwater.co.uk", "", differences),
    ("Main phone", "+44 20 7946 0958", "442079460958", "020 7946 0958", "442079460958", code_differences),
    ("Billing address", "4 Harbour Exchange, London E14 9GE", "", "12 Quay Street, Bristol BS1 4RD", "", differences),
    ("Contact", "Sarah O’Connell", "", "Sara OConnell", "", differences),
    ("Client", "Müller Bau GmbH & Co. KG", "mueller bau", "Mueller Hochbau", "mueller hochbau", differences),
    ("Name", "Газпром Нефть", "gazprom neft", "Gazprom Neft", "gazprom neft", differences),
    ("Hostile", "Acme \u202egnitlusnoC", "", "Acme <b>Consulting</b>", "", differences),
)
STEPS: Final = (7.6, 0.4, 0.0, 2.1, 7.4, 4.1, -4.6, 1.2, -2.5, 0.9, 0.0)


def environment() -> Environment:
    """Make the environment as the console does: everything escaped, nothing undefined."""
    made = Environment(
        loader=FileSystemLoader(CONSOLE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        extensions=["jinja2.ext.i18n"],
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.install_null_translations(newstyle=True)  # type: ignore[attr-defined]
    made.filters |= FILTERS
    return made


def page(*, dark: bool = False, locale: str = "en", nasty: Sequence[str] = NASTY) -> str:
    """Write the whole page; `nasty` values also stand in every label of the drawings."""
    told = Described("Records by source", nasty[0], ("System", "Records"), tuple((text, text) for text in nasty))
    rows = bars(
        [
            (name, [Part(nasty[0], count, tone(place)), Part("of it double", count // 9, "c8")])
            for place, (name, count) in enumerate(
                (("Salesforce, Europe", 1204), ("NetSuite, United States", 877), (nasty[0], 402), ("Kantata", 3))
            )
        ]
    )
    return (
        environment()
        .from_string((HERE / "specimen.html").read_text(encoding="utf-8"))
        .render(
            words=words(locale),
            dark=dark,
            css=styles(),
            age=words(locale).age(NOW - timedelta(days=3), NOW),
            pairs=[(name, *compare(Value(a, f), Value(b, g))) for name, a, f, b, g, compare in PAIRS],
            fall=waterfall(
                -13.1,
                [(name, bits) for (name, *_), bits in zip(PAIRS, STEPS, strict=True)],
                match_bits=6.6,
                review_bits=-2.0,
            ),
            graphs=graphs(nasty),
            rings=[ring(share) for share in (0.94, 0.84, 0.52, 0.999, 0.0)],
            curve=spark([3, 5, 2, 8, 9, 4, 12, 15, 11, 14]),
            rows=rows,
            legend=[("Records", "c1"), (nasty[1], "c8")],
            told=told,
            grown=tree(
                [
                    Branch("a", "", "Brightwater Group plc", "4 clients"),
                    Branch("b", "a", "Brightwater Consulting Ltd"),
                    Branch("c", "b", "Brightwater Consulting (Ireland) Ltd", nasty[0]),
                    Branch("d", "b", nasty[1]),
                    Branch(
                        "e", "a", "Brightwater Advisory GmbH with a long name that goes on to the next line of the list"
                    ),
                    Branch("f", "e", nasty[7]),
                ],
                here="b",
            ),
            address=lambda key: f"/records/{key}",
            lines=[line(nasty, days) for days in ((400, 380, 300, 299.5, 299, 298, 120, 3), (0.2, 0.1), (4000, 1))],
            columns=column_differences(
                [Value(text) for text in ("Acme Ltd", "Acme Ltd", "ACME LTD", "Acne Ltd", "Zenith")]
            ).columns,
            nasty=nasty,
        )
    )


def styles() -> str:
    """Join the style sheets of the console and of this page, with the fonts where they lie."""
    files = (CONSOLE / "static" / "hub.css", CONSOLE / "static" / "parts.css", HERE / "specimen.css")
    joined = "\n".join(file.read_text(encoding="utf-8") for file in files)
    return joined.replace("url(", f"url({(CONSOLE / 'static').as_uri()}/")


def line(nasty: Sequence[str], days: Sequence[float]) -> Any:
    """Draw events so many days ago."""
    happenings = [
        Happening(NOW - timedelta(days=day), tone(place), nasty[place % len(nasty)]) for place, day in enumerate(days)
    ]
    return timeline(happenings, now=NOW, as_of=NOW - timedelta(days=max(days) / 3))


def graphs(nasty: Sequence[str]) -> list[tuple[Graph, Described]]:
    """Draw two golden records, three, and clusters of 6, 12 and 40."""
    systems = (("SF", "c1"), ("CE", "c2"), ("NS", "c3"), ("DX", "c4"), ("KA", "c5"), ("CR", "c6"))

    def record(place: int, golden: str = "") -> Record:
        return Record(str(place), *systems[place % 6], title=nasty[place % len(nasty)], golden=golden)

    pair = [record(0, "cus_01J8X"), record(1, "cus_01J8X"), record(2, "cus_01K2P"), record(3, "cus_01K2P")]
    links = [
        Link("0", "1", 0.99),
        Link("2", "3", 0.98),
        Link("0", "2", 0.97),
        Link("1", "2", 0.66, is_weak=True),
        Link("0", "3", 0.84, is_weak=True),
    ]
    three = [record(place, f"cus_{place // 3}") for place in range(8)]
    cluster = [record(place) for place in range(6)]
    ring_of = [Link(str(a), str((a + 1) % 6), 0.9 + a / 100) for a in (0, 1, 3, 4)] + [
        Link("0", "2", 0.95),
        Link("3", "5", 0.97),
        Link("2", "3", 0.71, is_weak=True),
    ]
    twelve = [Link(str(a), str(b), 0.6 + (a * b % 40) / 100) for a in range(12) for b in range(a) if (a + b) % 3]
    forty = [
        Link(str(a), str(b), 0.7 + (a * b % 30) / 100) for a in range(40) for b in range(a) if a // 8 == b // 8
    ] + [Link(str(8 * a), str(8 * a - 1), 0.6, is_weak=False) for a in range(1, 5)]
    drawn = [
        ("Two golden records", pair, links),
        ("One against two", [*pair[:2], pair[2]], links),
        ("Three", three, [Link(str(a), str(a + 1), 0.9, is_weak=a == 5) for a in range(7)]),
        ("Cluster of 6", cluster, ring_of),
        ("Cluster of 12", [record(place) for place in range(12)], twelve),
        ("Cluster of 40", [record(place) for place in range(40)], forty),
    ]
    return [
        (
            graph(records, joined),
            Described(
                title,
                f"{len(records)} records.",
                ("From", "To", "Percent"),
                tuple((link.left, link.right, f"{link.share:.0%}") for link in joined[:20]),
            ),
        )
        for title, records, joined in drawn
    ]


if __name__ == "__main__":
    text = page(dark="dark" in sys.argv, locale=next((each for each in sys.argv if each in {"de", "ar"}), "en"))
    Path(sys.argv[1]).write_text(text, encoding="utf-8")
