"""Which layers an adapter should change, and at what ranks (E2GAN, arXiv 2401.06127).

Both ask a function for the held-out error of an adapter of given ranks; it trains one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

Ranks = Mapping[str, int]
MeasureError = Callable[[Ranks], float]


def ablate_by_freezing(
    layers: Sequence[str], rank: int, measure_error: MeasureError
) -> dict[str, float]:
    """Freeze one group of layers at a time; return by how much the error of all but it is higher.

    The paper freezes while it fine-tunes whole weights; here the others have changes of one rank.

    Args:
        layers: all groups.
        rank: of each that is not frozen.
        measure_error: see the module.

    Returns:
        group -> rise of the error, the most crucial group first.
    """
    nothing_frozen = measure_error(dict.fromkeys(layers, rank))
    rise = {
        frozen: measure_error({layer: rank for layer in layers if layer != frozen}) - nothing_frozen
        for frozen in layers
    }
    return dict(sorted(rise.items(), key=lambda item: -item[1]))


def search_ranks(
    layers: Sequence[str],
    measure_error: MeasureError,
    affordable: Callable[[Ranks], bool],
    gain: float = 0.01,
) -> tuple[dict[str, int], list[tuple[dict[str, int], float]]]:
    """Double the rank of one group after the other for as long as that pays.

    Args:
        layers: the crucial groups; the first is raised first.
        measure_error: see the module.
        affordable: whether an adapter of such ranks is small enough.
        gain: share of the error that a doubling must take away.

    Returns:
        Group -> rank; and all that was tried, with its error, in order. The first has rank 0: the
        embedding alone.
    """
    nothing: dict[str, int] = dict.fromkeys(layers, 0)
    ranks: dict[str, int] = dict.fromkeys(layers, 1)
    best = measure_error(ranks)
    curve = [(nothing, measure_error(nothing)), (ranks, best)]
    for layer in layers:
        while affordable(raised := ranks | {layer: 2 * ranks[layer]}):
            error = measure_error(raised)
            curve.append((raised, error))
            if error > (1 - gain) * best:
                break
            ranks, best = raised, error
    return ranks, curve
