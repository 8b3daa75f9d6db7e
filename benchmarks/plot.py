"""Draw lines on logarithmic axes as SVG, so that a figure can stand beside its numbers without a drawing library."""

import math
from collections.abc import Mapping, Sequence
from html import escape

Points = Sequence[tuple[float, float]]

_WIDTH, _HEIGHT = 760, 460
_LEFT, _RIGHT, _TOP, _BOTTOM = 70, 190, 50, 50
_FONT = 'font-family="sans-serif" font-size="12"'
_COLOURS = ("#1f5fa8", "#c2571a", "#2d7d46", "#7a4fa3", "#8a6d1d", "#5a5f66", "#b03060", "#1c8a8a")


def log_plot(title: str, axes: tuple[str, str], lines: Mapping[str, Points]) -> str:
    """Draw named lines, all values above zero, and a dashed one of what grows in proportion from the first point."""
    points = [point for line in lines.values() for point in line]
    across = _decades([x for x, _ in points])
    steady = _in_proportion(next(iter(lines.values())))
    up = _decades([y for _, y in [*points, *steady]])

    def place(x: float, y: float) -> tuple[float, float]:
        right = (math.log10(x) - across[0]) / (across[1] - across[0]) * (_WIDTH - _LEFT - _RIGHT)
        high = (math.log10(y) - up[0]) / (up[1] - up[0]) * (_HEIGHT - _TOP - _BOTTOM)
        return _LEFT + right, _HEIGHT - _BOTTOM - high

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" {_FONT}>',
        f"<title>{escape(title)}</title>",
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        f'<text x="{_LEFT}" y="24" font-size="15">{escape(title)}</text>',
        f'<text x="{(_LEFT + _WIDTH - _RIGHT) / 2}" y="{_HEIGHT - 8}" text-anchor="middle">{escape(axes[0])}</text>',
        f'<text x="14" y="{_TOP - 10}">{escape(axes[1])}</text>',
    ]
    for decade in range(across[0], across[1] + 1):
        x, _ = place(10**decade, 10 ** up[0])
        parts.append(f'<path d="M{x:.1f} {_TOP}V{_HEIGHT - _BOTTOM}" stroke="#ddd"/>')
        parts.append(f'<text x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 18}" text-anchor="middle">{10**decade:,}</text>')
    for decade in range(up[0], up[1] + 1):
        _, y = place(10 ** across[0], 10**decade)
        parts.append(f'<path d="M{_LEFT} {y:.1f}H{_WIDTH - _RIGHT}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{10**decade:g}</text>')
    dashes = _path([place(x, y) for x, y in steady])
    parts.append(f'<polyline points="{dashes}" fill="none" stroke="#999" stroke-dasharray="5 4"/>')
    for number, (name, line) in enumerate(lines.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        drawn = [place(x, y) for x, y in line]
        parts.append(f'<polyline points="{_path(drawn)}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in drawn]
        key = _TOP + 16 * number
        parts.append(f'<rect x="{_WIDTH - _RIGHT + 14}" y="{key - 9}" width="10" height="10" fill="{colour}"/>')
        parts.append(f'<text x="{_WIDTH - _RIGHT + 30}" y="{key}">{escape(name)}</text>')
    return "\n".join([*parts, "</svg>"]) + "\n"


def _decades(values: Sequence[float]) -> tuple[int, int]:
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))
    return low, max(high, low + 1)


def _in_proportion(line: Points) -> Points:
    """Give the ends of a line that grows in proportion from the first point."""
    (first_x, first_y), (last_x, _) = line[0], line[-1]
    return [(first_x, first_y), (last_x, first_y * last_x / first_x)]


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
