"""The report of a training as one HTML file with drawings: nothing to install, nothing loaded from elsewhere.

Weights per level, calibration, the histogram of scores, precision and recall over the line with their bounds. Each
drawing has its figures as a text for whoever does not see it.
"""

from collections.abc import Mapping, Sequence
from html import escape
from math import log1p
from pathlib import Path
from typing import Any, Final

from mdm.modelling.model import ModelVersion
from mdm.publishing.files import require_place, writing

WIDTH: Final = 720
HEIGHT: Final = 220
LEFT: Final = 44
_ROW: Final = 18
_LABELS: Final = 260

_STYLE: Final = """
:root { color-scheme: light dark; --ink: light-dark(#1b1b1f, #ececf0); --soft: light-dark(#5d5d66, #a9a9b4);
  --line: light-dark(#d8d8d2, #3c3c44); --blue: light-dark(#3049d9, #8ea0ff); --green: light-dark(#10796c, #5cc7b5);
  --gray: light-dark(#b4b2aa, #6b6b73); --ground: light-dark(#fff, #17171a); }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--ground); max-width: 780px;
  margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
dt { color: var(--soft) } dl { display: grid; grid-template-columns: 12rem 1fr; gap: .1rem 1rem } dd { margin: 0 }
svg { max-width: 100%; height: auto; display: block } svg text { font: 11px system-ui, sans-serif; fill: var(--soft) }
.axis { stroke: var(--line) } .even { stroke: var(--gray); stroke-dasharray: 3 3 } .blue { fill: var(--blue) }
.green { fill: var(--green) } .gray { fill: var(--gray) } .band { opacity: .2 } .stroke { fill: none; stroke-width: 2 }
.stroke.blue { stroke: var(--blue) } .stroke.green { stroke: var(--green) } .bound { stroke: var(--blue) }
"""


def write_report(path: Path, made: ModelVersion) -> None:
    """Write the report of a version that was trained."""
    require_place(path)
    with writing(path):
        path.write_text(html_of(made), encoding="utf-8")


def html_of(made: ModelVersion) -> str:
    """Give the report as HTML."""
    report = made.report or {}
    facts = {
        "version": made.version,
        "entity type": made.entity_type,
        "learnt from": made.origin,
        "why": made.reason,
        "by": f"{made.who}, {made.recorded_at:%Y-%m-%d %H:%M} UTC",
        "records": f"{report.get('records', 0):,}",
        "candidate pairs": f"{report.get('candidates', 0):,}",
        "labels": f"{report.get('labels_same', 0):g} same, {report.get('labels_different', 0):g} different",
        "prior": f"{report.get('prior_bits_declared', 0):+.2f} declared,"
        f" {report.get('prior_bits_learnt', 0):+.2f} learnt",
    }
    if (error := report.get("calibration_error")) is not None:
        facts["calibration error"] = f"{error:.3f} (0 is perfect, on pairs held out)"
    told = "".join(f"<dt>{escape(name)}</dt><dd>{escape(str(value))}</dd>" for name, value in facts.items())
    notes = "".join(f"<li>{escape(note)}</li>" for note in report.get("notes", ()))
    parts = [
        (
            "What each level is worth, in bits",
            "Gray: as declared. Blue: as learnt.",
            weights(report.get("weights", ())),
        ),
        (
            "Calibration",
            "Of pairs that the model gives a probability, how many are the same. On the line it says what is so.",
            calibration(report.get("calibration", ())),
        ),
        ("Scores of all candidate pairs", "Heights by logarithm.", histogram(report.get("histogram", ()))),
        (
            "Precision and recall over the match line",
            "Blue: precision. Green: recall. The bands are bounds of 95 %.",
            lines(report.get("lines", ())),
        ),
    ]
    drawn = "".join(
        f"<h2>{escape(title)}</h2><p>{escape(words)}</p>{drawing or '<p>Nothing to draw.</p>'}"
        for title, words, drawing in parts
    )
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Match model {escape(made.version)}</title><style>{_STYLE}</style>"
        f"<h1>Match model {escape(made.version)}</h1><dl>{told}</dl>"
        f"{f'<ul>{notes}</ul>' if notes else ''}{drawn}</html>\n"
    )


def weights(levels: Sequence[Mapping[str, Any]]) -> str:
    """Draw two bars a level: declared, learnt."""
    if not levels:
        return ""
    most = max(1.0, *(abs(one[name]) for one in levels for name in ("declared_bits", "learnt_bits")))
    middle, scale = _LABELS + (WIDTH - _LABELS) / 2, (WIDTH - _LABELS) / 2 / most
    rows = []
    for place, one in enumerate(levels):
        top = place * _ROW + 4
        name = f"{one['comparison']}: {one['level']}" if one["level"] else one["comparison"]
        rows.append(f'<text x="{_LABELS - 8}" y="{top + 11}" text-anchor="end">{escape(name)}</text>')
        for offset, key, tone in ((0, "declared_bits", "gray"), (6, "learnt_bits", "blue")):
            width = abs(one[key]) * scale
            left = middle - width if one[key] < 0 else middle
            rows.append(f'<rect class="{tone}" x="{left:.1f}" y="{top + offset}" width="{width:.1f}" height="5"/>')
        rows.append(
            f"<title>{escape(name)}: {one['declared_bits']:+.2f} declared, {one['learnt_bits']:+.2f} learnt,"
            f" {one['labels']:g} labels</title>"
        )
    height = len(levels) * _ROW + 8
    return _svg(height, "".join(rows) + _line(middle, 0, middle, height), "weights of levels, declared and learnt")


def calibration(bins: Sequence[Mapping[str, Any]]) -> str:
    """Draw observed over predicted, with bounds."""
    marks = "".join(
        f'<line class="bound" x1="{_x(one["predicted"]):.1f}" x2="{_x(one["predicted"]):.1f}"'
        f' y1="{_y(one["low"]):.1f}" y2="{_y(one["high"]):.1f}"/>'
        f'<circle class="blue" cx="{_x(one["predicted"]):.1f}" cy="{_y(one["observed"]):.1f}" r="4">'
        f"<title>says {one['predicted']:.0%}, is {one['observed']:.0%} ({one['labels']:g} labels)</title></circle>"
        for one in bins
    )
    even = f'<line class="even" x1="{_x(0)}" y1="{_y(0)}" x2="{_x(1)}" y2="{_y(1)}"/>'
    return _framed(even + marks, "calibration", ["0 %", "50 %", "100 %"]) if bins else ""


def histogram(bars: Sequence[Mapping[str, Any]]) -> str:
    """Draw how many pairs have which score."""
    if not bars:
        return ""
    from_, to = bars[0]["from_bits"], bars[-1]["from_bits"]
    most = max(1.0, *(one["pairs"] for one in bars))
    step = (WIDTH - LEFT) / len(bars)
    drawn = "".join(
        f'<rect class="blue" x="{LEFT + place * step:.1f}" width="{max(1.0, step - 1):.1f}"'
        f' y="{_y(_height(one["pairs"], most)):.1f}" height="{_y(0) - _y(_height(one["pairs"], most)):.1f}">'
        f"<title>from {one['from_bits']:+g} bits: {one['pairs']:,.0f} pairs</title></rect>"
        for place, one in enumerate(bars)
    )
    return _framed(drawn, "scores", [f"{from_:+g}", f"{(from_ + to) / 2:+g} bits", f"{to:+g}"])


def lines(points: Sequence[Mapping[str, Any]]) -> str:
    """Draw precision and recall over the match line, with bounds."""
    if len(points) < 2:
        return ""
    from_, to = points[0]["bits"], points[-1]["bits"]

    def at(one: Mapping[str, Any]) -> float:
        return _x((one["bits"] - from_) / ((to - from_) or 1))

    drawn = ""
    for name, tone in (("precision", "blue"), ("recall", "green")):
        upper = [f"{at(one):.1f},{_y(one[f'{name}_high']):.1f}" for one in points]
        lower = [f"{at(one):.1f},{_y(one[f'{name}_low']):.1f}" for one in reversed(points)]
        middle = " ".join(f"{at(one):.1f},{_y(one[name]):.1f}" for one in points)
        drawn += f'<polygon class="{tone} band" points="{" ".join(upper + lower)}"/>'
        drawn += f'<polyline class="{tone} stroke" points="{middle}"><title>{name}</title></polyline>'
    return _framed(drawn, "precision and recall", [f"{from_:+g}", f"{(from_ + to) / 2:+g} bits", f"{to:+g}"])


def _height(count: float, most: float) -> float:
    """Give the share of the height, by logarithm, since most pairs are far from any line."""
    return log1p(count) / log1p(most)


def _x(share: float) -> float:
    return LEFT + share * (WIDTH - LEFT - 8)


def _y(share: float) -> float:
    return HEIGHT - 24 - share * (HEIGHT - 34)


def _line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f'<line class="axis" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _framed(drawn: str, title: str, ticks: Sequence[str]) -> str:
    named = "".join(
        f'<text x="{_x(share):.1f}" y="{HEIGHT - 8}" text-anchor="{anchor}">{escape(tick)}</text>'
        for share, anchor, tick in zip((0, 0.5, 1), ("start", "middle", "end"), ticks, strict=True)
    )
    return _svg(HEIGHT, drawn + _line(_x(0), _y(0), _x(1), _y(0)) + _line(_x(0), _y(0), _x(0), _y(1)) + named, title)


def _svg(height: float, drawn: str, title: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-label="{escape(title)}">{drawn}</svg>'
