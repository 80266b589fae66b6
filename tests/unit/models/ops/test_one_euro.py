import numpy as np

from models.ops.one_euro import OneEuroFilter


def test_a_trembling_point_is_steadied_and_stays_where_it_is():
    rng = np.random.default_rng(0)
    filtered = OneEuroFilter()
    seen = 100 + rng.standard_normal(200)
    shown = np.array([filtered(np.array([x]), i / 30)[0] for i, x in enumerate(seen)])
    assert shown[50:].std() < 0.6 * seen[50:].std()
    assert abs(shown[50:].mean() - 100) < 0.3


def test_a_fast_point_is_followed():
    filtered = OneEuroFilter()
    for i in range(30):
        shown = filtered(np.array([40.0 * i]), i / 30)  # 1200 pixels a second
    assert 40 * 29 - shown[0] < 25  # less than a frame behind


def test_after_a_pause_it_begins_anew():
    filtered = OneEuroFilter()
    filtered(np.zeros(2), 0.0)
    assert (filtered(np.full(2, 500.0), 5.0) == 500).all()
