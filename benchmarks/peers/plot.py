"""A measurement as a picture: for each model, tenon's time over each peer's, with the middle half of the turns."""

import math
from xml.sax.saxutils import escape

from peers.figures import Measurement, Spread, geometric_mean
from peers.tables import threads_text

LEFT, PANEL, GAP, TOP, ROW, BOTTOM = 140, 360, 30, 92, 28, 46
LOW, HIGH = 1 / 8, 4  # what lies outside is drawn at the edge, with its number
TICKS = {1 / 8: "⅛", 1 / 4: "¼", 1 / 2: "½", 1: "1", 2: "2", 4: "4"}
# Colours that the colour-blind tell apart (Okabe and Ito), each with a shape of its own.
MARKS = [("#0072b2", "M-5,0a5,5 0 1,0 10,0a5,5 0 1,0 -10,0"), ("#d55e00", "M-4.5,-4.5h9v9h-9z"),
         ("#009e73", "M0,-6L6,0L0,6L-6,0z"), ("#777777", "M0,-5.5L5.5,4.5H-5.5z"), ("#cc79a7", "M-5,-2h3v-3h4v3h3v4h-3v3h-4v-3h-3z")]


def position(ratio):
    """Across a panel, on a logarithmic scale."""
    inside = min(max(ratio, LOW), HIGH)
    return PANEL * math.log(inside / LOW) / math.log(HIGH / LOW)


def label(x, y, content, anchor="start", style=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{style}>{escape(content)}</text>'


def mark(x, y, index):
    colour, shape = MARKS[index % len(MARKS)]
    return f'<path d="{shape}" fill="{colour}" transform="translate({x:.1f},{y:.1f}) scale(.8)"/>'


def point(left, y, index, spread):
    """A mark at the median over a bar of the middle half."""
    colour = MARKS[index % len(MARKS)][0]
    x, low, high = (left + position(value) for value in (spread.median, spread.low, spread.high))
    parts = [f'<path d="M{low:.1f},{y:.1f}H{high:.1f}" stroke="{colour}" stroke-width="2"/>', mark(x, y, index)]
    if not LOW <= spread.median <= HIGH:
        inwards, anchor = (9, "start") if spread.median < LOW else (-9, "end")
        parts.append(label(x + inwards, y + 4, f"{spread.median:.2f}", anchor, f' fill="{colour}" font-size="11"'))
    return "".join(parts)


def panel(m: Measurement, left, threads, subject):
    rows = len(m.models) + 1
    end = TOP + rows * ROW
    parts = [label(left + PANEL / 2, TOP - 30, threads_text(threads), "middle", ' font-weight="bold"'),
             label(left + position(1) - 8, TOP - 10, "← tenon is faster", "end", ' fill="#555"'),
             label(left + position(1) + 8, TOP - 10, "slower →", style=' fill="#555"')]
    for row in range(0, rows, 2):
        parts.append(f'<rect x="{left}" y="{TOP + row * ROW}" width="{PANEL}" height="{ROW}" fill="#f4f4f4"/>')
    for tick, text in TICKS.items():
        x, colour = left + position(tick), "#333" if tick == 1 else "#d0d0d0"
        parts += [f'<path d="M{x:.1f},{TOP}V{end}" stroke="{colour}"/>', label(x, end + 16, text, "middle")]
    for index, peer in enumerate(m.peers):
        aside = 5 * (index - (len(m.peers) - 1) / 2)  # so that equal ratios do not hide each other
        spreads = [m.ratio(model, threads, subject, peer["key"]) for model in m.models]
        mean = geometric_mean([s.median if s else None for s in spreads])
        for row, spread in enumerate([*spreads, Spread(*mean[:1] * 3) if mean else None]):
            if spread:
                parts.append(point(left, TOP + (row + 0.5) * ROW + aside, index, spread))
    return "\n".join(parts)


def draw(m: Measurement):
    """The SVG document, for the first tenon measured."""
    subject = m.tenons[0]
    width = LEFT + len(m.threads) * (PANEL + GAP)
    height = TOP + (len(m.models) + 1) * ROW + BOTTOM
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
             'font-family="sans-serif" font-size="13" fill="#222">', f'<rect width="{width}" height="{height}" fill="#fff"/>',
             label(LEFT, 22, f"{subject['title']}'s time ÷ the peer's, batch 1, float32", style=' font-size="15"')]
    x = LEFT
    for index, peer in enumerate(m.peers):
        parts += [mark(x + 6, 40, index), label(x + 18, 44.5, peer["title"])]
        x += 40 + 8 * len(peer["title"])
    for row, title in enumerate([*(m.title(model) for model in m.models), "geometric mean"]):
        style = ' font-weight="bold"' if row == len(m.models) else ""
        parts.append(label(LEFT - 10, TOP + (row + 0.5) * ROW + 4.5, title, "end", style))
    parts += [panel(m, LEFT + i * (PANEL + GAP), threads, subject["key"]) for i, threads in enumerate(m.threads)]
    parts.append(label(LEFT, height - 8, "bars: the middle half of the turns", style=' fill="#555" font-size="11"'))
    return "\n".join([*parts, "</svg>", ""])
