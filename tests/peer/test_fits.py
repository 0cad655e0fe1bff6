"""The fits of guided calibrations against numpy.linalg. Prints TAP. Usage: test_fits.py DRIVER"""
import subprocess
import sys

import numpy as np

import tap

LINE, AFFINE, TARGET = range(3)
OK = 0
RANDOM = np.random.default_rng(20240301)
SIDES = 9.80665 * np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]])


def run(kind, *columns):
    """The error, then the numbers, as the driver makes them of one job."""
    job = np.concatenate([[kind, len(columns[0])]] + [np.ravel(column) for column in columns])
    answer = subprocess.run([sys.argv[1]], input=job.astype(float).tobytes(), capture_output=True, check=True, timeout=20)
    numbers = np.frombuffer(answer.stdout)
    return int(numbers[0]), numbers[1:]


def lines():
    for count in (2, 3, 16, 200):
        for middle in (0, 1e4):
            measured = middle + RANDOM.normal(size=count)
            reference = 1.3 * measured - 4 + RANDOM.normal(scale=0.05, size=count)
            design = np.column_stack([measured, np.ones(count)])
            expected = np.linalg.lstsq(design, reference, rcond=None)[0]
            err, found = run(LINE, measured, reference)
            assert err == OK
            assert np.allclose(found[:2], expected, rtol=1e-7, atol=1e-7), (found[:2], expected)


def no_lines():
    assert run(LINE, [1], [2])[0] != OK
    assert run(LINE, [3, 3, 3], [1, 2, 3])[0] != OK


def axes():
    for extra in (0, 3, 10):
        true = np.vstack([SIDES] + [RANDOM.normal(scale=6, size=(extra, 3))])
        lean = np.eye(3) + RANDOM.normal(scale=0.05, size=(3, 3))
        measured = (true - [0.3, -0.2, 0.1]) @ np.linalg.inv(lean).T + RANDOM.normal(scale=0.01, size=true.shape)
        design = np.column_stack([measured, np.ones(len(true))])
        expected = np.linalg.lstsq(design, true, rcond=None)[0]
        values = np.linalg.svd(measured - measured.mean(axis=0), compute_uv=False)
        err, found = run(AFFINE, measured, true)
        assert err == OK
        assert np.allclose(found[:9].reshape(3, 3), expected[:3].T, rtol=1e-9, atol=1e-9)
        assert np.allclose(found[9:12], expected[3], rtol=1e-9, atol=1e-9)
        assert np.isclose(found[12], values[0] / values[-1], rtol=1e-6), (found[12], values)


def flat_clouds():
    dead = SIDES * [1, 1, 0]
    assert run(AFFINE, dead, SIDES)[0] != OK
    weak = SIDES * [1, 1, 0.05]
    err, found = run(AFFINE, weak, SIDES)
    assert err != OK and np.isclose(found[12], 20, rtol=1e-6), found[12]
    assert run(AFFINE, SIDES[:3], SIDES[:3])[0] != OK


def targets():
    for direction in (0.0, 0.03, -0.08):
        angles = np.linspace(-0.17, 0.17, 41)
        ranges = 2.5 / np.cos(angles - direction) + RANDOM.normal(scale=0.004, size=angles.size)
        points = np.column_stack([ranges * np.cos(angles), ranges * np.sin(angles)])
        middle = points.mean(axis=0)
        _, values, axes_ = np.linalg.svd(points - middle)
        normal = axes_[1] * np.sign(axes_[1] @ middle)
        err, found = run(TARGET, angles, ranges)
        assert err == OK
        square = np.arctan2(normal[1], normal[0])
        assert np.isclose(found[0], normal @ middle, atol=1e-9)
        assert np.isclose(found[1], square, atol=1e-9)
        assert np.isclose(found[2], np.cos(angles - square).mean(), atol=1e-9)
        assert np.isclose(found[3], values[1] / np.sqrt(angles.size), atol=1e-9)


def common_error():
    """An offset of all ranges comes out by the share of it that the distance holds."""
    angles = np.linspace(-0.17, 0.17, 41)
    _, found = run(TARGET, angles, 2 / np.cos(angles) - 0.05)
    assert np.isclose(found[0] + 0.05 * found[2], 2, atol=1e-6), found
    assert run(TARGET, [0, 0.1], [1, 1])[0] != OK


CASES = {
    "a line is that of lstsq": lines,
    "one point or one reading makes no line": no_lines,
    "matrix, offset and condition are those of lstsq and svd": axes,
    "a dead axis is told by the condition": flat_clouds,
    "a target is the first axis of svd": targets,
    "a target's distance holds a known share of an offset": common_error,
}

tap.run(CASES)
