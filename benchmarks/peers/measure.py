"""Measures contestants on one model, turn by turn."""

import random

import numpy as np

# Of the largest number in an output. On the networks of torchvision here float32 stays below 4e-5, and bfloat16 of OpenVINO above 4e-3.
TOLERANCE = 3e-4


def distance(answers, expected):
    """The largest difference over the largest number expected, over all outputs."""
    if len(answers) != len(expected):
        raise RuntimeError(f"it gives {len(answers)} outputs instead of {len(expected)}")
    worst = 0.0
    for answer, right in zip(answers, expected, strict=True):
        if answer.size != right.size:
            raise RuntimeError(f"it gives {answer.size} elements instead of {right.size}")
        difference = np.abs(answer.ravel().astype(np.float64) - right.ravel())
        # A NaN counts as the greatest difference.
        worst = max(worst, float(np.nan_to_num(difference / np.abs(right).max(), nan=np.inf).max(initial=0)))
    return worst


def measure(model, threads, contestants, settings, progress):
    """What each contestant does, by its key: either the reason why it does not take part, or

    load_ms     each of `settings.loads` times from the file to the first answer, in fresh processes
    peak_bytes  the greatest memory of these processes
    distance    how far its answer is from the expected one
    ms          the time of a run in each of `settings.turns` turns
    """
    results = {c.key: {"load_ms": [], "peak_bytes": 0, "distance": None, "ms": []} for c in contestants}

    def attempt(contestant, action):
        if "reason" in results[contestant.key]:
            return
        try:
            action(contestant, results[contestant.key])
        except RuntimeError as error:
            contestant.stop()
            results[contestant.key] = {"reason": str(error)}

    expected = model.expected

    def load(contestant, result):
        nonlocal expected
        contestant.stop()
        opening = contestant.start(model, threads)
        if expected is None:  # of a file given by path: what the first peer says
            expected = opening.answers
        result["distance"] = distance(opening.answers, expected)
        if not result["distance"] <= TOLERANCE:
            raise RuntimeError(f"its answer is wrong by {result['distance']:.1e} of the largest output")
        if opening.load_ms is not None:
            result["load_ms"].append(opening.load_ms)
        result["peak_bytes"] = max(result["peak_bytes"], opening.peak_bytes)

    def turn(contestant, result):
        result["ms"].append(contestant.turn(settings["seconds"]))

    try:
        for contestant in contestants:
            progress(f"converting for {contestant.title}")
            attempt(contestant, lambda c, _: c.prepare(model))
        for number in range(settings["loads"]):
            progress(f"loading, {number + 1} of {settings['loads']}")
            for contestant in contestants:
                attempt(contestant, load)
        for number in range(settings["turns"]):
            progress(f"turn {number + 1} of {settings['turns']}")
            # Nobody always follows the same one.
            for contestant in random.Random(f"{model.name}, {threads}, {number}").sample(contestants, len(contestants)):
                attempt(contestant, turn)
    finally:
        for contestant in contestants:
            contestant.stop()
    return results
