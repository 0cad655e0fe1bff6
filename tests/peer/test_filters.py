"""The filters against scipy and numpy, over series that a sensor may well deliver and some that none should. Prints TAP.
Usage: test_filters.py DRIVER"""
import subprocess
import sys

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy import signal

KINDS = ("mean", "median", "exponential", "hampel", "lowpass")
SETTINGS = ("window", "alpha", "threshold", "cutoff", "rate", "order")
WINDOWS = (1, 2, 3, 5, 8, 11, 31, 64, 255)
TOLERANCE = 1e-9
LENGTH = 700


def series():
    random = np.random.default_rng(20240229)
    n = np.arange(LENGTH)
    noise = random.normal(size=LENGTH)
    yield "noise", noise
    yield "a step", np.where(n < 50, 0.0, 10.0)
    yield "a walk with spikes", np.cumsum(noise) + np.where(random.random(LENGTH) < 0.05, 1e4, 0)
    yield "few different values", np.round(noise * 2) / 2
    yield "noise far from zero", 1e9 + noise
    yield "very large and very small", noise * 10.0 ** random.integers(-150, 150, LENGTH)
    yield "near the end of the numbers", noise * 1e300
    yield "below the normal numbers", noise * 1e-309
    yield "a falling ramp", -1e-3 * n
    yield "alternating signs", np.where(n % 2, 1e6, -1e6) + noise


def windows(x, size):
    """The newest values at each moment: fewer at first."""
    head = [x[:i + 1] for i in range(min(size, len(x)) - 1)]
    return head, sliding_window_view(x, size) if len(x) >= size else np.empty((0, size))


def over(x, size, function):
    head, rest = windows(x, size)
    return np.concatenate([[function(row, None) for row in head], function(rest, 1)])


def mean(x, window, **_):
    return over(x, window, lambda a, axis: np.mean(a, axis=axis))


def median(x, window, **_):
    return over(x, window, lambda a, axis: np.median(a, axis=axis))


def hampel(x, window, threshold, **_):
    def spread(a, axis):
        middle = np.median(a, axis=axis, keepdims=True)
        return np.median(np.abs(a - middle), axis=axis)
    middle = median(x, window)
    return np.where(np.abs(x - middle) > threshold * (1.4826 * over(x, window, spread)), middle, x)


def exponential(x, alpha, **_):
    return signal.lfilter([alpha], [1, alpha - 1], x, zi=[(1 - alpha) * x[0]])[0]


def lowpass(x, cutoff, rate, order, **_):
    sections = signal.butter(order, cutoff, fs=rate, output="sos")
    return signal.sosfilt(sections, x, zi=signal.sosfilt_zi(sections) * x[0])[0]


def extended(x, cutoff, rate, order, **_):
    """The low-pass in extended precision, straight from its poles: where scipy's sections lose digits."""
    real = np.longdouble
    pi = 4 * np.arctan(real(1))
    w = np.tan(pi * real(cutoff) / real(rate))
    y = np.asarray(x, dtype=real)
    for k in range(1, order // 2 + 1):
        damping = 2 * np.sin((2 * k - 1) * pi / (2 * order))
        b, a0 = w * w, 1 + damping * w + w * w
        a1, a2 = 2 * (w * w - 1) / a0, (1 - damping * w + w * w) / a0
        y = direct(y, [b / a0, 2 * b / a0, b / a0], a1, a2)
    if order % 2:
        y = direct(y, [w / (1 + w), w / (1 + w), real(0)], (w - 1) / (1 + w), real(0))
    return y


def direct(x, b, a1, a2):
    y = np.empty_like(x)
    x1 = x2 = y1 = y2 = x[0]
    for i, value in enumerate(x):
        y[i] = b[0] * value + b[1] * x1 + b[2] * x2 - a1 * y1 - a2 * y2
        x1, x2, y1, y2 = value, x1, y[i], y1
    return y


def jobs(name):
    """(kind, settings, reference)"""
    tiny = name == "below the normal numbers"
    for window in WINDOWS:
        yield "mean", {"window": window}, mean
        yield "median", {"window": window}, median
        for threshold in (1.5, 3):
            yield "hampel", {"window": window, "threshold": threshold}, hampel
    for alpha in (0.01, 0.3, 1):
        yield "exponential", {"alpha": alpha}, exponential
    for order in range(1, 9):
        for share in (0.003, 0.02, 0.1, 0.25, 0.4, 0.49):
            yield "lowpass", {"cutoff": 80 * share, "rate": 80, "order": order}, extended if tiny else lowpass
    for order in (1, 2, 4, 7) if name in ("noise", "a step") else ():
        yield "lowpass", {"cutoff": 0.0008, "rate": 80, "order": order}, extended


def run(driver, work):
    """All jobs through one driver."""
    given = b"".join(np.array([KINDS.index(kind), *(settings.get(s, 0) for s in SETTINGS), len(x)], dtype=float).tobytes()
                     + x.tobytes() for kind, settings, _, x in work)
    done = subprocess.run([driver], input=given, stdout=subprocess.PIPE, check=True, timeout=120)
    return np.frombuffer(done.stdout).reshape(len(work), LENGTH)


def worst(got, wanted, x):
    """Greatest difference, as a share of the largest value so far: what a filter's rounding is measured by."""
    scale = np.maximum.accumulate(np.abs(x))
    difference = np.abs(np.asarray(got, dtype=np.longdouble) - wanted)
    # Two steps of the smallest number are no error: there is nothing between them.
    return float(np.max(np.where(difference <= 1e-322, 0, difference / np.where(scale > 0, scale, 1))))


def main(driver):
    failed = 0
    number = 0
    for name, x in series():
        work = [(*job, x) for job in jobs(name)]
        got = run(driver, work)
        for kind in KINDS:
            number += 1
            errors = [(worst(row, reference(x, **settings), x), settings)
                      for row, (k, settings, reference, _) in zip(got, work) if k == kind]
            error, settings = max(errors, key=lambda e: e[0])
            good = error <= TOLERANCE
            failed += not good
            print(f"{'ok' if good else 'not ok'} {number} - {kind} over {name} equals its reference")
            print(f"# worst of {len(errors)}: {error:.2g} at {settings}")
    print(f"1..{number}")
    return failed > 0


if __name__ == "__main__":
    np.seterr(all="ignore")
    sys.exit(main(sys.argv[1]))
