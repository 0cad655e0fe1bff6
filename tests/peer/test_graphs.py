"""The pose graph against scipy.optimize.least_squares. Prints TAP. Usage: test_graphs.py DRIVER"""
import subprocess
import sys

import numpy as np
from scipy.optimize import least_squares

import tap

PLAIN, HUBER = range(2)
RANDOM = np.random.default_rng(20240601)
SIGMA = np.array([0.03, 0.02, 0.006])


def wrap(angle):
    return (angle + np.pi) % (2 * np.pi) - np.pi


def between(a, b):
    c, s = np.cos(a[2]), np.sin(a[2])
    dx, dy = b[:2] - a[:2]
    return np.array([c * dx + s * dy, -s * dx + c * dy, wrap(b[2] - a[2])])


def compose(a, b):
    c, s = np.cos(a[2]), np.sin(a[2])
    return np.array([a[0] + c * b[0] - s * b[1], a[1] + s * b[0] + c * b[1], wrap(a[2] + b[2])])


def information():
    """Of noise whose axes are neither equal nor those of the robot."""
    lean = np.eye(3) + RANDOM.normal(scale=0.3, size=(3, 3))
    root = np.diag(1 / SIGMA) @ lean
    return root.T @ root


def drive(count, start):
    """A drive in two laps by odometry, with closures between the laps: poses, edges (from, to, measured, information)."""
    truth, poses, edges = [np.array(start)], [np.array(start)], []
    for i in range(1, count):
        truth.append(compose(truth[-1], [0.8, 0.1, 4 * np.pi / count]))
    for i in range(1, count):
        matrix = information()
        noise = RANDOM.multivariate_normal(np.zeros(3), np.linalg.inv(matrix))
        edges.append((i - 1, i, between(truth[i - 1], truth[i]) + noise, matrix))
        poses.append(compose(poses[-1], edges[-1][2]))
    for i in range(count // 2, count, 4):
        matrix = information()
        noise = RANDOM.multivariate_normal(np.zeros(3), np.linalg.inv(matrix))
        edges.append((i - count // 2, i, between(truth[i - count // 2], truth[i]) + noise, matrix))
    return np.array(poses), edges


def ours(poses, edges, kernel=PLAIN, scale=0.0):
    rows = [np.concatenate([[a, b], z, m.ravel(), [kernel, scale]]) for a, b, z, m in edges]
    job = np.concatenate([[len(poses), len(edges)], poses.ravel(), np.ravel(rows)])
    answer = subprocess.run([sys.argv[1]], input=job.tobytes(), capture_output=True, check=True, timeout=20)
    numbers = np.frombuffer(answer.stdout)
    assert numbers[0] == 0 and numbers[3] == 1, numbers[:4]
    return numbers[2], numbers[4:].reshape(-1, 3)


def residuals(free, first, edges):
    poses = np.vstack([first, free.reshape(-1, 3)])
    out = []
    for a, b, z, m in edges:
        error = between(poses[a], poses[b]) - z
        error[2] = wrap(error[2])
        out.append(np.linalg.cholesky(m).T @ error)
    return np.array(out)


def compare(found, expected):
    assert np.allclose(found[:, :2], expected[:, :2], atol=2e-5), np.abs(found - expected).max(axis=0)
    assert np.allclose(wrap(found[:, 2] - expected[:, 2]), 0, atol=2e-5), np.abs(found - expected).max(axis=0)


def plain():
    for start in ([0, 0, 0], [40, -30, 3.0]):
        poses, edges = drive(24, start)
        chi2, found = ours(poses, edges)
        fit = least_squares(lambda free: residuals(free, poses[0], edges).ravel(), poses[1:].ravel(), method="lm",
                            xtol=1e-14, ftol=1e-14, gtol=1e-14)
        expected = np.vstack([poses[0], fit.x.reshape(-1, 3)])
        assert np.isclose(chi2, 2 * fit.cost, rtol=1e-7), (chi2, 2 * fit.cost)
        compare(found, expected)


def huber():
    """scipy's kernels bend each residual, ours each edge: so each edge gives scipy its one length, bent."""
    poses, edges = drive(16, [0, 0, 0])
    a, b, z, m = edges[-1]
    edges[-1] = (a, b, z + [0.6, -0.4, 0.1], m)
    scale = 2.0

    def bent(free):
        rows = residuals(free, poses[0], edges)
        length = np.linalg.norm(rows, axis=1)
        cost = np.where(length <= scale, length**2, 2 * scale * length - scale**2)
        return (rows * (np.sqrt(cost) / np.maximum(length, 1e-12))[:, None]).ravel()

    chi2, found = ours(poses, edges, HUBER, scale)
    fit = least_squares(bent, found[1:].ravel() + RANDOM.normal(scale=0.01, size=found[1:].size), xtol=1e-14, ftol=1e-14,
                        gtol=1e-14, max_nfev=500)
    assert np.isclose(chi2, 2 * fit.cost, rtol=1e-6), (chi2, 2 * fit.cost)
    compare(found, np.vstack([poses[0], fit.x.reshape(-1, 3)]))


CASES = {
    "poses, error and covariance are those of least_squares": plain,
    "huber bends an edge's error as a bent least_squares does": huber,
}

tap.run(CASES)
