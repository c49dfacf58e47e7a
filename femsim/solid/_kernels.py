"""Compiled distance loops."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[np.float64]


@njit(cache=True, nogil=True)
def ellipsoid_distance(local: Array, radii: Array) -> Array:
    """Signed distance (n,) of points (n, 3) in the ellipsoid's own axes to its surface."""
    result = np.empty(local.shape[0])
    tiny = 1e-13 * radii.max()
    # Unknown s = t + (smallest radius)^2: t itself would lose its digits next to the centre.
    least = radii.min() ** 2
    excess = radii**2 - least
    y = np.empty(3)
    for n in range(local.shape[0]):
        s = 0.0
        inside = 0.0
        for i in range(3):
            # A coordinate of exactly zero makes the root degenerate; 1e-13 of the size is below rounding.
            y[i] = max(abs(local[n, i]), tiny)
            inside += (y[i] / radii[i]) ** 2
            s = max(s, radii[i] * y[i] - excess[i])
        for _ in range(60):
            value, slope = -1.0, 0.0
            for i in range(3):
                ratio = radii[i] * y[i] / (s + excess[i])
                value += ratio * ratio
                slope -= 2.0 * ratio * ratio / (s + excess[i])
            step = -value / slope
            s += step
            if step <= 1e-14 * s:
                break
        square = 0.0
        for i in range(3):
            # y - r^2 y / (t + r^2), without the cancellation
            square += (y[i] * (s - least) / (s + excess[i])) ** 2
        result[n] = np.sqrt(square) if inside > 1.0 else -np.sqrt(square)
    return result


@njit(cache=True, nogil=True)
def _round_cone(p: Array, a: Array, b: Array, ra: float, rb: float) -> tuple[float, float]:
    """Distance of one point to the hull of two balls, and the position (0 to 1) of its foot on the axis."""
    length2, along = 0.0, 0.0
    for j in range(3):
        length2 += (b[j] - a[j]) ** 2
        along += (p[j] - a[j]) * (b[j] - a[j])
    length = np.sqrt(length2)
    z = along / length
    x2 = 0.0
    for j in range(3):
        x2 += (p[j] - a[j] - z * (b[j] - a[j]) / length) ** 2
    x = np.sqrt(x2)
    slope = (ra - rb) / length
    if slope >= 1.0:  # the second ball lies inside the first
        return np.sqrt(x2 + z * z) - ra, 0.0
    if slope <= -1.0:
        return np.sqrt(x2 + (z - length) ** 2) - rb, 1.0
    # The cone touches the balls along a normal tilted by asin(slope); the foot runs back along it.
    foot = z - x * slope / np.sqrt(1.0 - slope * slope)
    if foot <= 0.0:
        return np.sqrt(x2 + z * z) - ra, 0.0
    if foot >= length:
        return np.sqrt(x2 + (z - length) ** 2) - rb, 1.0
    return x * np.sqrt(1.0 - slope * slope) + z * slope - ra, foot / length


@njit(cache=True, nogil=True)
def tube_distance(points: Array, line: Array, radii: Array, flat: bool) -> Array:
    """Signed distance (n,) of points (n, 3) to the tube along a polyline (k, 3) with radii (k,).

    With `flat` the ends are cut square; otherwise they are half balls.
    """
    k = line.shape[0]
    result = np.empty(points.shape[0])
    arc = np.zeros(k)
    for s in range(k - 1):
        arc[s + 1] = arc[s] + np.sqrt(((line[s + 1] - line[s]) ** 2).sum())
    first = (line[0] - line[1]) / arc[1]
    last = (line[k - 1] - line[k - 2]) / (arc[k - 1] - arc[k - 2])
    # A ball around every piece: what it cannot reach is not asked. The piece of the point before is asked first.
    middle = np.empty((k - 1, 3))
    reach = np.empty(k - 1)
    for s in range(k - 1):
        middle[s] = 0.5 * (line[s] + line[s + 1])
        reach[s] = 0.5 * (arc[s + 1] - arc[s]) + max(radii[s], radii[s + 1])
    last_piece = 0
    for n in range(points.shape[0]):
        best, where = np.inf, 0.0
        found = last_piece
        for i in range(-1, k - 1):
            s = last_piece if i < 0 else i
            if i == last_piece:
                continue
            if i >= 0:
                away = best + reach[s]
                x, y, z = points[n, 0] - middle[s, 0], points[n, 1] - middle[s, 1], points[n, 2] - middle[s, 2]
                if away <= 0.0 or x * x + y * y + z * z > away * away:
                    continue
            d, t = _round_cone(points[n], line[s], line[s + 1], radii[s], radii[s + 1])
            if d < best or (d == best and s < found):
                best, found = d, s
                where = arc[s] + t * (arc[s + 1] - arc[s])
        last_piece = found
        if flat:
            # The end planes may cut only what lies near that end of a bent tube.
            if where < min(3.0 * radii[0], 0.5 * arc[k - 1]):
                best = _square_end(best, points[n], line[0], first, radii[0])
            elif where > arc[k - 1] - min(3.0 * radii[k - 1], 0.5 * arc[k - 1]):
                best = _square_end(best, points[n], line[k - 1], last, radii[k - 1])
        result[n] = best
    return result


@njit(cache=True, nogil=True)
def _square_end(side: float, p: Array, end: Array, outward: Array, radius: float) -> float:
    height = 0.0
    for j in range(3):
        height += (p[j] - end[j]) * outward[j]
    if height <= 0.0:
        return max(side, height)
    across2 = -height * height
    for j in range(3):
        across2 += (p[j] - end[j]) ** 2
    across = np.sqrt(max(across2, 0.0)) - radius
    return np.sqrt(height * height + max(across, 0.0) ** 2)


@njit(cache=True, nogil=True)
def cubic_sample(coefficients: NDArray[np.float32], grid: Array) -> Array:
    """Values (n,) of a cubic B-spline with coefficients (i, j, k) at grid coordinates (n, 3) inside the grid."""
    shape = coefficients.shape
    result = np.empty(grid.shape[0])
    weight = np.empty((3, 4))
    index = np.empty((3, 4), np.int64)
    for n in range(grid.shape[0]):
        for d in range(3):
            cell = min(int(grid[n, d]), shape[d] - 2)
            u = grid[n, d] - cell
            v = 1.0 - u
            weight[d, 0] = v * v * v / 6.0
            weight[d, 1] = (4.0 - 3.0 * u * u * (1.0 + v)) / 6.0
            weight[d, 2] = (4.0 - 3.0 * v * v * (1.0 + u)) / 6.0
            weight[d, 3] = u * u * u / 6.0
            for i in range(4):
                at = cell + i - 1
                # mirror, as in scipy.ndimage.spline_filter(mode="mirror")
                index[d, i] = -at if at < 0 else (2 * shape[d] - 2 - at if at >= shape[d] else at)
        total = 0.0
        for i in range(4):
            for j in range(4):
                row = 0.0
                for k in range(4):
                    row += weight[2, k] * coefficients[index[0, i], index[1, j], index[2, k]]
                total += weight[0, i] * weight[1, j] * row
        result[n] = total
    return result


@njit(cache=True, nogil=True, inline="always")
def _catmull(a: float, b: float, c: float, d: float, u: float) -> float:
    """Catmull-Rom value between `b` (u = 0) and `c` (u = 1)."""
    return b + 0.5 * u * (c - a + u * (2.0 * a - 5.0 * b + 4.0 * c - d + u * (3.0 * (b - c) + d - a)))


@njit(cache=True, nogil=True)
def loft_distance(local: Array, bottom: float, step: float, centres: Array, radii: Array) -> Array:
    """First-order signed distance (n,) of local points (n, 3) to a loft of polar sections.

    Section ``i`` lies at height ``bottom + i step`` about ``centres[i]`` with radius ``radii[i, j]`` at the angle
    ``2 pi j / radii.shape[1]``; cubic between.
    """
    k, m = radii.shape
    result = np.empty(local.shape[0])
    column = np.empty(4)
    turned = np.empty(4)
    rows = np.empty(4, np.int64)
    height = (k - 1) * step
    for n in range(local.shape[0]):
        z = local[n, 2] - bottom
        at = min(max(z / step, 0.0), k - 1.0)
        cell = min(int(at), k - 2)
        u = at - cell
        for i in range(4):
            rows[i] = min(max(cell + i - 1, 0), k - 1)
        cx = _catmull(centres[rows[0], 0], centres[rows[1], 0], centres[rows[2], 0], centres[rows[3], 0], u)
        cy = _catmull(centres[rows[0], 1], centres[rows[1], 1], centres[rows[2], 1], centres[rows[3], 1], u)
        x, y = local[n, 0] - cx, local[n, 1] - cy
        r = np.sqrt(x * x + y * y)
        angle = np.arctan2(y, x) * m / (2.0 * np.pi)
        if angle < 0.0:
            angle += m
        j = int(angle)
        v = angle - j
        for i in range(4):
            row = rows[i]
            before, here = radii[row, (j + m - 1) % m], radii[row, j % m]
            after, last = radii[row, (j + 1) % m], radii[row, (j + 2) % m]
            column[i] = _catmull(before, here, after, last, v)
            turned[i] = (_catmull(before, here, after, last, v + 1e-3) - column[i]) / 1e-3
        radius = _catmull(column[0], column[1], column[2], column[3], u)
        # slopes of the surface around and along, for the distance across it instead of along the radius
        around = _catmull(turned[0], turned[1], turned[2], turned[3], u) * m / (2.0 * np.pi)
        up = (_catmull(column[0], column[1], column[2], column[3], u + 1e-3) - radius) / (1e-3 * step)
        shift_x = (centres[rows[2], 0] - centres[rows[1], 0]) / step
        shift_y = (centres[rows[2], 1] - centres[rows[1], 1]) / step
        if r > 1e-9:
            up += (shift_x * x + shift_y * y) / r
        # A narrow ridge on the surface is no nearer to the axis: its flanks count only close to the surface.
        away = abs(r - radius) / (0.2 * radius)
        around *= np.exp(-away * away)
        side = (r - radius) / np.sqrt(1.0 + (around / max(radius, 1e-9)) ** 2 + up * up)
        result[n] = max(side, -z, z - height)
    return result
