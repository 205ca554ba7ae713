"""What every program of this folder works with, and checks of what it finds.

The checks are no part of a task: they stand behind a line "# check" and are not counted.
"""

import numpy as np

N, DIM, K, RADIUS = 4000, 64, 10, 30.0

rng = np.random.default_rng(7)
_centres = rng.normal(size=(200, DIM))


def _draw(n):
    points = _centres[rng.integers(len(_centres), size=n)]
    return (points + 0.5 * rng.normal(size=points.shape)).astype(np.float32)


x = _draw(N)                             # [N][DIM]
queries, learn = _draw(100), _draw(500)  # [m][DIM]
more = np.split(_draw(1000), 10)         # ten parts, to be added one by one
years = rng.integers(2000, 2025, N)      # what filters ask for
names = [f"document {i}" for i in range(N)]
gone = [1, 2, 3, 5, 8]                   # ids to be deleted


def _distances(base):
    return ((queries[:, None] - base) ** 2).sum(2)


def _nearest(distances):
    return np.argsort(distances, axis=1)[:, :K]


truth = _nearest(_distances(x))
truth_of_all = _nearest(_distances(np.concatenate([x, *more])))
truth_of_recent = _nearest(np.where(years >= 2020, _distances(x), np.inf))
within = [set(np.flatnonzero(row < RADIUS)) for row in _distances(x)]


def check(found, wanted=truth, least=0.9):
    """Holds ids [m][K] to a mean recall of `least`."""
    found = np.array(found).astype(int)
    recall = np.mean([np.isin(row, ids).mean() for row, ids in zip(wanted, found)])
    assert found.shape == wanted.shape and recall >= least, recall


def check_deleted(found):
    """None of `gone` is found; the others are."""
    assert not np.isin(np.array(found).astype(int), gone).any()
    check(found)


def check_recent(found):
    assert (years[np.array(found).astype(int)] >= 2020).all()
    check(found, truth_of_recent)


def check_within(found):
    """Holds a list of ids for each query to the vectors within RADIUS: .9 of them, and few others,
    since distances may be estimates."""
    hits = sum(len(near & set(ids)) for near, ids in zip(within, found))
    true, all_found = sum(map(len, within)), sum(map(len, found))
    assert true > 500 and hits >= 0.9 * max(true, all_found), (hits, true, all_found)


def check_names(found):
    """Answers by name, after "document 7" is gone."""
    assert not (np.array(found) == "document 7").any()
    check([[int(name.split()[1]) for name in row] for row in found])
