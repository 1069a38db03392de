"""Line plots as SVG, for the performance page."""

import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT = 640, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 170, 34, 48
COLOURS = ("#1f6fb2", "#c4552d", "#3a8a4d", "#7a5ba6", "#8a6d1f")


def log_ticks(low, high, base):
    first, last = math.floor(math.log(low, base) + 1e-9), math.ceil(math.log(high, base) - 1e-9)
    return [base ** n for n in range(first, last + 1)]


def label(value):
    return f"{value:g}" if value < 10000 else f"{value / 1024:g}Ki" if value % 1024 == 0 else f"{value / 1000:g}k"


class Axis:
    """Logarithmic, from the tick before the least value to the one after the largest."""

    def __init__(self, values, base, begin, end):
        self.ticks = log_ticks(min(values), max(values), base)
        self.low, self.high = math.log(self.ticks[0]), math.log(self.ticks[-1] if len(self.ticks) > 1
                                                                else self.ticks[0] * base)
        self.begin, self.end = begin, end

    def at(self, value):
        return self.begin + (self.end - self.begin) * (math.log(value) - self.low) / (self.high - self.low)


def lines(title, x_title, y_title, series):
    """An SVG of {name: [(x, y), ...]}, both axes logarithmic."""
    points = [p for line in series.values() for p in line]
    x = Axis([p[0] for p in points], 2, LEFT, WIDTH - RIGHT)
    y = Axis([max(p[1], 1e-6) for p in points], 10, HEIGHT - BOTTOM, TOP)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
           'font-size="12">', f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
           f'<text x="{LEFT}" y="18" font-size="14">{escape(title)}</text>']
    step = max(1, len(x.ticks) // 8)
    for tick in x.ticks[::step]:
        out.append(f'<path d="M{x.at(tick):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#ddd"/>'
                   f'<text x="{x.at(tick):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{label(tick)}</text>')
    for tick in y.ticks:
        out.append(f'<path d="M{LEFT} {y.at(tick):.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>'
                   f'<text x="{LEFT - 6}" y="{y.at(tick) + 4:.1f}" text-anchor="end">{label(tick)}</text>')
    out.append(f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 10}" text-anchor="middle">{escape(x_title)}</text>'
               f'<text transform="translate(14 {(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" '
               f'text-anchor="middle">{escape(y_title)}</text>')
    for n, (name, line) in enumerate(series.items()):
        colour = COLOURS[n % len(COLOURS)]
        path = " ".join(f"{x.at(a):.1f},{y.at(max(b, 1e-6)):.1f}" for a, b in line)
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out += [f'<circle cx="{x.at(a):.1f}" cy="{y.at(max(b, 1e-6)):.1f}" r="3" fill="{colour}"/>' for a, b in line]
        out.append(f'<text x="{WIDTH - RIGHT + 12}" y="{TOP + 14 + 18 * n}" fill="{colour}">{escape(name)}</text>')
    return "\n".join([*out, "</svg>"]) + "\n"
