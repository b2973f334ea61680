"""What a measurement says, computed from its JSON (__main__.py says what that holds)."""

import dataclasses
import statistics


@dataclasses.dataclass(frozen=True)
class Spread:
    """A median, and the quartiles around it."""

    low: float
    median: float
    high: float


def spread(values):
    if len(values) < 2:
        return Spread(*values * 3)
    return Spread(*statistics.quantiles(values, n=4, method="inclusive"))


class Measurement:
    def __init__(self, document):
        self.document = document
        self.contestants = document["contestants"]
        self.tenons = [c for c in self.contestants if c["is_tenon"]]
        self.peers = [c for c in self.contestants if not c["is_tenon"]]
        self.best_of = [c["key"] for c in self.peers if c["in_best"]]
        self.cells = {(cell["model"], cell["threads"]): cell for cell in document["cells"]}
        self.models = list(dict.fromkeys(cell["model"] for cell in document["cells"]))
        self.threads = list(dict.fromkeys(cell["threads"] for cell in document["cells"]))

    def title(self, model):
        return next(cell["title"] for cell in self.document["cells"] if cell["model"] == model)

    def result(self, model, threads, key):
        """What the contestant did there, or None when it did not take part."""
        result = self.cells.get((model, threads), {"results": {}})["results"].get(key)
        return result if result and "reason" not in result else None

    def ms(self, model, threads, key):
        result = self.result(model, threads, key)
        return statistics.median(result["ms"]) if result and result["ms"] else None

    def ratio(self, model, threads, subject, other):
        """The spread of subject ÷ other over the turns: each turn's two times were taken within seconds."""
        ours, theirs = self.result(model, threads, subject), self.result(model, threads, other)
        if not ours or not theirs or not ours["ms"]:
            return None
        return spread([a / b for a, b in zip(ours["ms"], theirs["ms"], strict=True)])

    def best(self, model, threads):
        """The key of the fastest peer among those that the best is taken of."""
        times = {key: self.ms(model, threads, key) for key in self.best_of}
        times = {key: ms for key, ms in times.items() if ms is not None}
        return min(times, key=times.get, default=None)

    def ratio_to_best(self, model, threads, subject):
        return self.ratio(model, threads, subject, self.best(model, threads))

    def share_of_peak(self, model, threads, key):
        """The plain algorithm's operations a second over the machine's measured multiply-add peak."""
        ms = self.ms(model, threads, key)
        limit = self.document["machine"]["limits"].get(str(threads))
        if ms is None or limit is None:
            return None
        return 2 * self.cells[model, threads]["macs"] / (1e6 * ms) / limit["fma_gflops"]

    def bound(self, model, threads):
        return self.cells.get((model, threads), {}).get("bound_ms")

    def reasons(self):
        """{(title, reason): models' titles} of those that did not take part."""
        found = {}
        for (model, _), cell in self.cells.items():
            for contestant in self.contestants:
                reason = cell["results"].get(contestant["key"], {}).get("reason")
                if reason:
                    titles = found.setdefault((contestant["title"], reason), [])
                    if cell["title"] not in titles:
                        titles.append(cell["title"])
        return found


def geometric_mean(values):
    """(mean, how many) of those that are there; None when none is."""
    values = [value for value in values if value is not None]
    return (statistics.geometric_mean(values), len(values)) if values else None
