"""A line plot as SVG: enough for a handful of figures, without a plotting library."""

import math
from collections.abc import Sequence

_WIDTH, _HEIGHT, _MARGIN = 640, 320, 60


def line_plot(
    points: Sequence[tuple[float, float]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    log_x: bool = False,
) -> str:
    """The points, in order of x, joined by a line; y begins at zero."""
    xs = [math.log10(x) if log_x else x for x, _ in points]
    low, high = min(xs), max(xs)
    top = max(y for _, y in points) * 1.1 or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        across = (x - low) / (high - low) if high > low else 0.5
        return (
            _MARGIN + across * (_WIDTH - 2 * _MARGIN),
            _HEIGHT - _MARGIN - y / top * (_HEIGHT - 2 * _MARGIN),
        )

    dots = [place(x, y) for x, (_, y) in zip(xs, points, strict=True)]
    left, bottom = place(low, 0)
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}"'
            ' font-family="sans-serif" font-size="12">'
        ),
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="white"/>',
        _text(_WIDTH / 2, 24, title, size=15),
        _text(_WIDTH / 2, _HEIGHT - 12, x_label),
        (
            f'<text transform="translate(16,{_HEIGHT / 2}) rotate(-90)" text-anchor="middle">'
            f"{y_label}</text>"
        ),
        (
            f'<path d="M{left:.1f},{_MARGIN} V{bottom:.1f} H{_WIDTH - _MARGIN}" fill="none"'
            ' stroke="#444"/>'
        ),
    ]
    for share in (0.25, 0.5, 0.75, 1.0):
        value = top / 1.1 * share
        _, y = place(low, value)
        parts.append(f'<path d="M{left:.1f},{y:.1f} H{_WIDTH - _MARGIN}" stroke="#ddd"/>')
        parts.append(_text(left - 8, y + 4, _number(value), anchor="end"))
    for (x, _), (across, _) in zip(points, dots, strict=True):
        parts.append(_text(across, bottom + 18, _number(x)))
    joined = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    parts.append(f'<polyline points="{joined}" fill="none" stroke="#1f6feb" stroke-width="2"/>')
    parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#1f6feb"/>' for x, y in dots]
    return "\n".join([*parts, "</svg>"]) + "\n"


def _text(x: float, y: float, text: str, *, anchor: str = "middle", size: int = 12) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{size}">{text}</text>'


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2f}"
