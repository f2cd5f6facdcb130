"""Finds clusters by k-means, from several random starts at once.

    python examples/kmeans.py

One round of the algorithm is written for one point and one set of centers; `vmap` makes of it a
round for all points, and then for all starts.
"""

from __future__ import annotations

import mlxc as mx

CLUSTERS = 4
POINTS = 200
STARTS = 8
ROUNDS = 20


def blobs(key: mx.array) -> mx.array:
    """Points (CLUSTERS * POINTS, 2) around the corners of a square."""
    corners = mx.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]])
    spread = 0.2 * mx.random.normal((CLUSTERS, POINTS, 2), key=key)
    return (corners[:, None] + spread).reshape(-1, 2)


def distances(point: mx.array, centers: mx.array) -> mx.array:
    """Squared distances of a point (2,) to centers (K, 2)."""
    return mx.sum(mx.square(centers - point), axis=1)


all_distances = mx.vmap(distances, in_axes=(0, None))  # of points (N, 2): (N, K)


def improved(centers: mx.array, points: mx.array) -> mx.array:
    """The mean of the points that are nearest to each center, which stays if there are none."""
    nearest = mx.argmin(all_distances(points, centers), axis=1)
    member = (nearest[:, None] == mx.arange(len(centers))).astype(mx.float32)
    count = mx.sum(member, axis=0)[:, None]
    return mx.where(count > 0, (member.T @ points) / mx.maximum(count, 1), centers)


def spread(centers: mx.array, points: mx.array) -> mx.array:
    """Mean squared distance of the points to their nearest centers."""
    return mx.mean(mx.min(all_distances(points, centers), axis=1))


def main() -> None:
    points_key, starts_key = mx.random.split(mx.random.key(0))
    points = blobs(points_key)
    picks = mx.random.randint(0, len(points), (STARTS, CLUSTERS), key=starts_key)
    centers = points[picks]  # (STARTS, K, 2)

    improve_all = mx.compile(mx.vmap(improved, in_axes=(0, None)))
    spread_all = mx.vmap(spread, in_axes=(0, None))
    for number in range(ROUNDS + 1):
        if number % 5 == 0:
            print(f"round {number:2d}  spread {mx.min(spread_all(centers, points)).item():.4f}")
        centers = improve_all(centers, points)
    best = mx.argmin(spread_all(centers, points)).item()
    for x, y in sorted(centers[best].tolist()):
        print(f"center {x:5.2f} {y:5.2f}")


if __name__ == "__main__":
    main()
