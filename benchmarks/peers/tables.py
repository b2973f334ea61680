"""A measurement as tables: for the terminal, and as the page docs/benchmarks.md."""

import statistics

from peers.figures import Measurement, geometric_mean

NOTHING = "-"


def table(header, rows):
    """A Markdown table whose columns line up in a terminal, too; the first is text, the others are numbers."""
    widths = [max(len(row[i]) for row in [header, *rows]) for i in range(len(header))]

    def line(cells):
        return "| " + " | ".join([cells[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(cells[1:], widths[1:]))]) + " |"

    rule = "| " + " | ".join(["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]) + " |"
    return "\n".join([line(header), rule, *map(line, rows)])


def ratio_text(spread):
    return f"{spread.median:.2f} ({spread.low:.2f}–{spread.high:.2f})" if spread else NOTHING


def number(value, form="{:.1f}"):
    return NOTHING if value is None else form.format(value)


def threads_text(threads):
    return "1 thread" if threads == 1 else f"{threads} threads"


def ratios(m: Measurement, threads, subject):
    """Tenon ÷ each other contestant; of several executables, also over those before it."""
    before = m.tenons[:m.tenons.index(subject)]
    others = [*before, *m.peers]
    columns = [[m.ratio(model, threads, subject["key"], other["key"]) for model in m.models] for other in others]
    rows = [[m.title(model), *(ratio_text(column[i]) for column in columns), best_text(m, model, threads, subject),
             number(m.share_of_peak(model, threads, subject["key"]), "{:.0%}")] for i, model in enumerate(m.models)]
    columns.append([m.ratio_to_best(model, threads, subject["key"]) for model in m.models])
    means = [geometric_mean([s.median if s else None for s in column]) for column in columns]
    rows.append(["geometric mean", *(mean_text(mean, len(m.models)) for mean in means), ""])
    header = [f"{subject['title']} ÷", *(other["title"] for other in others), "the best", "share of peak"]
    return table(header, rows)


def best_text(m: Measurement, model, threads, subject):
    best, spread = m.best(model, threads), m.ratio_to_best(model, threads, subject["key"])
    title = next((peer["title"] for peer in m.peers if peer["key"] == best), None)
    return f"{spread.median:.2f} ({title})" if spread else NOTHING


def mean_text(mean, models):
    if not mean:
        return NOTHING
    return f"{mean[0]:.2f}" + (f" (of {mean[1]})" if mean[1] < models else "")


def times(m: Measurement, threads):
    rows = [[m.title(model), *(number(m.ms(model, threads, c["key"])) for c in m.contestants),
             number(m.bound(model, threads))] for model in m.models]
    return table(["ms", *(c["title"] for c in m.contestants), "limit"], rows)


def loads(m: Measurement):
    """The time from file to first answer, and the peak of memory, with the most threads."""
    threads = max(m.threads)

    def cell(model, contestant):
        result = m.result(model, threads, contestant["key"])
        if not result:
            return NOTHING
        load = statistics.median(result["load_ms"]) if result["load_ms"] else None
        return f"{number(load, '{:.0f}')} / {result['peak_bytes'] / 1e6:.0f}"

    rows = [[m.title(model), *(cell(model, c) for c in m.contestants)] for model in m.models]
    return table(["ms / MB", *(c["title"] for c in m.contestants)], rows)


def distances(m: Measurement):
    def cell(model, contestant):
        result = m.result(model, m.threads[0], contestant["key"])
        return number(result and result["distance"], "{:.1e}")

    rows = [[m.title(model), *(cell(model, c) for c in m.contestants)] for model in m.models]
    return table(["distance", *(c["title"] for c in m.contestants)], rows)


def reasons(m: Measurement):
    return [f"{title}, {', '.join(models)}: {reason}" for (title, reason), models in m.reasons().items()]


def sections(m: Measurement):
    """(heading, text) of all that was measured."""
    turns = m.document["settings"]["turns"]
    for threads in m.threads:
        yield f"tenon's time over each peer's, {threads_text(threads)}", "\n\n".join(ratios(m, threads, t) for t in m.tenons)
        yield f"Time of a run, {threads_text(threads)}, median of {turns} turns", times(m, threads)
    yield f"From file to first answer, and peak of memory, {threads_text(max(m.threads))}", loads(m)
    yield "Distance from PyTorch's answer in float64 (for a file given by path: from the first peer's)", distances(m)


def text(m: Measurement):
    parts = [f"{heading}\n\n{body}" for heading, body in sections(m)]
    return "\n\n".join([*parts, *(f"- {reason}" for reason in reasons(m)), ""])


PAGE = """# tenon beside its peers

{date}, tenon {revision}. Batch 1, float32, 224×224 images, torchvision's architectures. Below 1, tenon is faster.

![tenon's time over each peer's](benchmarks.svg)

{machine}

{versions}

{sections}
{reasons}
## How it is measured
* All get the same model: what `tenon export` makes of PyTorch's program at opset {opset}; PyTorch and ncnn's converter get that
  program. Weights are random, BatchNorm statistics come from forward passes, so that no activation dies out.
* Float32 is stated to every peer; where its default is less, the option is named above.
* Each contestant runs in a process of its own, with the number of threads given. In each turn each runs for about
  {seconds} s, one after the other, in an order that changes, while the other processes are stopped; its time in the turn is the
  median of its runs there after a warm-up. tenon is started anew in each turn (`tenon bench`). "tenon" opens the ONNX file,
  "tenon engine" what `tenon build` made of it.
* A ratio is the median of the ratios in each of {turns} turns, in brackets the middle half of them. "The best" is the
  fastest of {best_of} on that model. Means are geometric.
* The share of the peak counts the multiply-adds of the plain algorithms, so Winograd's may pass 100 %; the peak is measured by
  multiply-adds in registers.
* The limit is what tenon's algorithms take at least, summed over the steps: their multiplications at the peak, or their weights
  and activations read and written once at the measured bandwidths, whichever is longer (`tenon inspect MODEL --layers --time`).
* Loading is the median of {loads} fresh processes, without the import of a Python package. Memory is the peak above what the process
  held before it opened the model; for tenon it is the whole process.
* Every answer is compared with PyTorch's in float64: the largest difference over the largest output. Who is further than
  {tolerance:.0e} is not timed.

## How to measure it yourself

    ./dev bench peers --docs                                  # all of it; an hour on a machine that does nothing else
    ./dev bench peers --models resnet18 my.onnx --turns 5     # a part, or your own model
    ./dev bench peers --tenon old=path/to/tenon --tenon new=build/release/tenon

The peers are installed from PyPI into `.venv-peers`. {busy}
"""


def machine_text(document):
    machine = document["machine"]
    lines = [f"* CPU: {machine['cpu']}, {machine['cpus']} CPUs, {', '.join(machine['flags'])}; "
             f"{machine['memory_bytes'] / 2**30:.0f} GiB of memory; {machine['system']}"]
    for threads, limit in machine["limits"].items():
        lines.append(f"* Measured peak, {threads_text(int(threads))}: {limit['fma_gflops']:.0f} GFLOP/s of float32 multiply-adds "
                     f"({limit['isa']}), {limit['read_gbps']:.1f} GB/s read from memory")
    return "\n".join(lines)


def page(document, opset, tolerance):
    m = Measurement(document)
    versions = "\n".join(f"* {c['title']} {c['version'] or NOTHING}: {c['note']}" for c in m.peers)
    best_of = ", ".join(c["title"] for c in m.peers if c["in_best"])
    left_out = reasons(m)
    return PAGE.format(
        date=document["date"], revision=document["revision"], machine=machine_text(document), versions=versions,
        sections="\n".join(f"## {heading[0].upper()}{heading[1:]}\n\n{body}\n" for heading, body in sections(m)),
        reasons="Not measured:\n\n" + "\n".join(f"* {reason}" for reason in left_out) + "\n" if left_out else "",
        opset=opset, tolerance=tolerance, best_of=best_of, **document["settings"],
        busy=f"Others took {document['machine']['busy_share']:.0%} of the CPUs' time before this measurement began.")
