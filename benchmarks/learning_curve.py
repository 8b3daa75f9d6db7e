"""The drawing of the learning curves: one panel a set, F1 over the answers given, chosen against drawn at random."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

WIDTH: Final = 300
HEIGHT: Final = 220
LEFT: Final = 46
BOTTOM: Final = 36
TOP: Final = 30

_STYLE: Final = """<style>
text{font:12px system-ui,sans-serif;fill:#5d5d66}.title{font-weight:600;fill:#1b1b1f}
.axis{stroke:#d8d8d2}.chosen{stroke:#3049d9;fill:none;stroke-width:2}.drawn{stroke:#b4572a;fill:none;stroke-width:2;
stroke-dasharray:5 3}.band{fill:#b4572a;opacity:.15}.dot{fill:#3049d9}.dot.drawn{fill:#b4572a;stroke:none}
.key.chosen{stroke:none;fill:#3049d9}.key.drawn{stroke:none;fill:#b4572a}
@media(prefers-color-scheme:dark){text{fill:#a9a9b4}.title{fill:#ececf0}.axis{stroke:#3c3c44}.chosen{stroke:#8ea0ff}
.drawn{stroke:#e79a6c}}
</style>"""


def drawn(results: Mapping[str, Any], sizes: Sequence[int]) -> str:
    """Draw all sets side by side as one SVG."""
    panels = [_panel(name, result, sizes, place * WIDTH) for place, (name, result) in enumerate(results.items())]
    total = WIDTH * max(1, len(panels))
    words = "; ".join(_said(name, result, sizes) for name, result in results.items())
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {total} {HEIGHT}" role="img" aria-label="{words}">'
        f"{_STYLE}{''.join(panels)}</svg>\n"
    )


def _said(name: str, result: Mapping[str, Any], sizes: Sequence[int]) -> str:
    steps = ", ".join(f"{size} answers {result['chosen'][str(size)]:.3f}" for size in sizes)
    return f"{name}: declared {result['declared']:.3f}, {steps}"


def _panel(name: str, result: Mapping[str, Any], sizes: Sequence[int], x: int) -> str:
    chosen = [(0, result["declared"]), *((size, result["chosen"][str(size)]) for size in sizes)]
    spread = [(0, [result["declared"]]), *((size, result["drawn"][str(size)]) for size in sizes)]
    values = [value for _, value in chosen] + [value for _, many in spread for value in many]
    low = min(0.9, *values) - 0.01

    def at(size: float, value: float) -> str:
        across = x + LEFT + (WIDTH - LEFT - 24) * size / sizes[-1]
        return f"{across:.1f},{TOP + (HEIGHT - TOP - BOTTOM) * (1 - value) / (1 - low):.1f}"

    marks = [mark / 100 for mark in range(80, 101, 2 if low > 0.85 else 5) if mark / 100 >= low]
    lines = "".join(
        f'<line class="axis" x1="{at(0, mark).split(",")[0]}" y1="{at(0, mark).split(",")[1]}"'
        f' x2="{at(sizes[-1], mark).split(",")[0]}" y2="{at(0, mark).split(",")[1]}"/>'
        f'<text x="{x + LEFT - 6}" y="{float(at(0, mark).split(",")[1]) + 4:.1f}" text-anchor="end">{mark:.2f}</text>'
        for mark in marks
    )
    ticks = "".join(
        f'<text x="{at(size, low).split(",")[0]}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{size:,}</text>'
        for size in (0, *sizes)
    )
    highest, lowest = [at(size, max(many)) for size, many in spread], [at(size, min(many)) for size, many in spread]
    band = " ".join(highest + lowest[::-1])
    mean = " ".join(at(size, sum(many) / len(many)) for size, many in spread)
    dots = "".join(
        f'<circle class="dot" cx="{at(*point).split(",")[0]}" cy="{at(*point).split(",")[1]}" r="3"/>'
        for point in chosen
    )
    return (
        f'<text class="title" x="{x + LEFT}" y="18">{name}</text>{lines}{ticks}'
        f'<polygon class="band" points="{band}"/><polyline class="drawn" points="{mean}"/>'
        f'<polyline class="chosen" points="{" ".join(at(*point) for point in chosen)}"/>{dots}'
        f'<text x="{x + LEFT}" y="{HEIGHT - 4}"><tspan class="key chosen">chosen</tspan> and '
        f'<tspan class="key drawn">random</tspan> answers, pairwise F1</text>'
    )
