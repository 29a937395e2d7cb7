"""Step `compare_domains`: are domains of a continuous sample alike? (METHOD section 9)."""

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray

from atomotif._checks import check_choice, check_not_negative, check_positive
from atomotif.numerics.adjustment import ADJUSTMENTS
from atomotif.steps.base import Context, Parameters
from atomotif.steps.find_points import positions

if TYPE_CHECKING:
    from atomotif.numerics.matched_points import MatchedPoints

_BLOCK_PATCHES = 2.0
_P_VALUES = ("p_value", "p_adjusted", "nuisance_p", "nuisance_p_adjusted")


@dataclass(frozen=True, kw_only=True)
class CompareDomainsParameters(Parameters):
    """Compare the histograms of the oriented moments of domains, two at a time.

    Of each domain the points of the largest disc about its centre that it fills are taken, and as many of
    each as the least has. Domains are compared twice. The histograms of the moments say by how much they
    differ as a whole (fig. 5F to H of Dan et al. 2022). The deviations of the moments from their course over
    the place in the domain, which is common to all domains, say whether they differ at like places: this is
    the keener test, as the registry varies far more within a domain than between domains.

    The null is in both cases that points at like places, and of the same part, follow one law: matched
    points are exchanged in blocks. Another mixture of parts is a difference, too. With m blocks p is not
    below 2^(1 - m), and what is found in a few blocks of one domain only, as a few vacancies, cannot be
    significant.

    Parameters
    ----------
    compared : tuple of str, optional
        Names of domains, or of anchors for all their domains that the edge does not cut; by default the
        anchor with the most of these. Domains of different anchors differ by right.
    n_bins : int, optional
        Bins of equal width of each moment, shared by all domains; by default twice the cube root of the
        number of points of each.
    n_permutations : int, default 999
        Exchanges of each pair, or more, if p could not reach 0.05 otherwise once it is adjusted.
    block_size : float, optional
        Side of the blocks that are exchanged, px; by default two patches. Patches that share pixels are
        correlated: with the noise of images alone, 5 % of pairs of one law get p <= 0.05 by blocks of three
        patches, 6 % of two, 8 % of one and 10 % if points are exchanged one by one. Larger blocks are fewer.
    adjust : {"holm", "benjamini_yekutieli"}, default "holm"
        How p is adjusted for the number of pairs: bounding the chance of one false finding, or the share of
        false findings.
    nuisance : bool, default False
        Whether p is also found against pairs of which one is shifted and distorted at random, beside the
        noise that exchanges keep. Takes about eight times as long.
    scan_distortion : float, default 0.005
        Standard deviation of each of the four entries of that distortion: a drift of one pixel in 200 rows.
    scan_shift : float, default 0.1
        Standard deviation of that shift along each axis, px: what positions of columns are usually good to.
    random_state : int, default 0
        Seed.

    Examples
    --------
    >>> comparison = session.compare_domains(nuisance=True).data["comparison"]
    >>> bool((comparison["p_adjusted"].values[0, 1:] > 0.05).all())
    True
    """

    inputs: ClassVar[tuple[str, ...]] = ("image", "points", "features", "domains")
    anchor_references: ClassVar[tuple[str, ...]] = ("compared",)
    compared: tuple[str, ...] | None = None
    n_bins: int | None = None
    n_permutations: int = 999
    block_size: float | None = None
    adjust: str = "holm"
    nuisance: bool = False
    scan_distortion: float = 0.005
    scan_shift: float = 0.1
    random_state: int = 0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n_bins is not None and self.n_bins < 2:
            raise ValueError(f"`n_bins` must be at least 2, got {self.n_bins}.")
        check_positive(self.n_permutations, "n_permutations")
        if self.block_size is not None:
            check_positive(self.block_size, "block_size")
        check_choice(self.adjust, "adjust", ADJUSTMENTS)
        check_positive(self.scan_distortion, "scan_distortion")
        check_positive(self.scan_shift, "scan_shift")
        check_not_negative(self.random_state, "random_state")


def compare_domains(
    image: xr.Dataset,
    points: xr.Dataset,
    features: xr.Dataset,
    domains: xr.Dataset,
    parameters: CompareDomainsParameters,
    context: Context,
) -> xr.Dataset:
    """Return the comparison group; divergences are in nats per feature.

    `histogram`, `divergence` (directed), `symmetric`, `corrected` (without the bias of finite samples), its
    `error`, `null_mean` and `null_std` are of the moments themselves, and with the prefix `place_` of their
    deviations. `p_value`, `p_adjusted` and `nuisance_p`, `nuisance_p_adjusted` are of the deviations, with
    the prefix `raw_` of the moments. The latter hold only for domains that are evenly filled with points.

    Raises
    ------
    ValueError
        If there are fewer than two domains to compare, or one of them has too few points.
    """
    from atomotif.numerics.adjustment import permutations_needed
    from atomotif.numerics.distortions import moment_derivatives
    from atomotif.numerics.histograms import bin_edges, bin_indices, default_bins, histograms
    from atomotif.numerics.matched_points import central_points, match_points
    from atomotif.numerics.place_trend import place_trend

    chosen = _chosen(domains, parameters.compared)
    where, size = positions(points), float(features.attrs["patch_size"])
    label = np.where(features["complete"].values, domains["domain"].values, -1)
    members = [central_points(where, label, one) for one in chosen]
    n, k = min(map(len, members)), len(chosen)
    if n < 2:
        name = str(domains["name"].values[chosen[int(np.argmin([len(one) for one in members]))]])
        raise ValueError(
            f"`compared` must be domains with at least 2 whole patches about their centre, got {name!r}."
        )
    own = np.array([one[:n] for one in members])
    place = where[own] - where[own].mean(1, keepdims=True)
    part = domains["part"].values[own] if "part" in domains else np.zeros(own.shape, np.int64)
    moments = features["zernike"].values[own].astype(np.float64)
    trend = place_trend(
        moments.reshape(k * n, -1), place.reshape(-1, 2), np.repeat(np.arange(k), n), part.ravel()
    )
    place += trend.offset[:, None]
    context.report(0.1)

    pairs = list(combinations(range(k), 2))
    side = _BLOCK_PATCHES * size if parameters.block_size is None else parameters.block_size
    matched = [match_points(place[i], place[j], side, kinds_a=part[i], kinds_b=part[j]) for i, j in pairs]
    derivatives = None
    if parameters.nuisance:
        pixels = image[features.attrs["source"]].values
        derivatives = np.array(
            [moment_derivatives(pixels, where[one], size / 2, n_threads=context.n_threads) for one in own]
        )
    context.report(0.3)
    n_bins = parameters.n_bins or default_bins(n)
    draws = max(parameters.n_permutations, permutations_needed(len(pairs), parameters.adjust))
    found: dict[str, tuple[tuple[str, ...], NDArray[Any]]] = {}
    kinds = (("", moments), ("place_", trend.deviation.reshape(moments.shape)))
    for prefix, values in kinds:
        edges = bin_edges(values.reshape(k * n, -1), n_bins)
        index = bin_indices(values.reshape(k * n, -1), edges)
        counts = histograms(index, np.repeat(np.arange(k), n), k, n_bins)
        found[prefix + "histogram"] = (("compared", "moment", "bin"), counts)
        found[prefix + "bin_edge"] = (("moment", "edge"), edges)
        tables = _tests(
            values, index.reshape(k, n, -1), counts, edges, matched, derivatives, draws, parameters, context
        )
        for name, table in tables.items():
            # The keener and sounder test, at like places, is the one that goes by the plain name.
            of_test = {"": "raw_", "place_": ""}[prefix] if name in _P_VALUES else prefix
            found[of_test + name] = (("compared", "other"), table)
        context.report(0.65 if not prefix else 1.0)
    blocks = _matrix(k, pairs, [one.n_blocks for one in matched], 0).astype(np.int64)
    return xr.Dataset(
        found | {"n_blocks": (("compared", "other"), blocks)},
        coords={
            "domain": ("compared", chosen),
            "name": ("compared", domains["name"].values[chosen]),
            "p": ("moment", features["p"].values),
            "q": ("moment", features["q"].values),
        },
        attrs={
            "n_points": n,
            "n_bins": n_bins,
            "n_permutations": draws,
            "block_size": side,
            "adjust": parameters.adjust,
            "units": "nat",
        },
    )


def _chosen(domains: xr.Dataset, compared: tuple[str, ...] | None) -> NDArray[np.int64]:
    """Return the domains that are named, in order and once."""
    names, anchor = domains["name"].values.astype(str), domains["anchor"].values
    inner = ~domains["at_edge"].values.astype(bool)
    if compared is None:
        if not inner.any():
            raise ValueError("there must be at least two domains that the edge does not cut, got none.")
        chosen = np.flatnonzero(inner & (anchor == np.bincount(anchor[inner]).argmax()))
    else:
        of_anchor = np.array([name.rpartition(" #")[0] for name in names])
        chosen = np.empty(0, np.int64)
        for name in compared:
            more = np.flatnonzero((names == name) | ((of_anchor == name) & inner))
            if not len(more):
                raise ValueError(f"`compared` must name domains or anchors that have any, got {name!r}.")
            chosen = np.append(chosen, more)
        chosen = np.unique(chosen)
    if len(chosen) < 2:
        raise ValueError(f"there must be at least two domains to compare, got {len(chosen)}.")
    return chosen.astype(np.int64)


def _tests(
    values: NDArray[np.float64],
    index: NDArray[np.int64],
    counts: NDArray[np.int64],
    edges: NDArray[np.float64],
    matched: "list[MatchedPoints]",
    derivatives: NDArray[np.float64] | None,
    draws: int,
    parameters: CompareDomainsParameters,
    context: Context,
) -> dict[str, NDArray[np.float64]]:
    """Return the tables (compared, other) of one kind of features: divergences, their errors, and p."""
    from atomotif.numerics._threads import run_blocks
    from atomotif.numerics.adjustment import adjust_p
    from atomotif.numerics.divergence import kullback_leibler
    from atomotif.numerics.exchange_test import ExchangeTest, distortion_test, exchange_test

    k = len(values)
    pairs = list(combinations(range(k), 2))
    results = np.empty((len(pairs), len(ExchangeTest._fields)))
    nuisance = np.empty(len(pairs))
    spread = np.array([parameters.scan_shift] * 2 + [parameters.scan_distortion] * 4)

    def work(at: int) -> None:
        i, j = pairs[at]
        partner, block, _ = matched[at]
        # Each pair has random numbers of its own, the same in whatever order pairs are done.
        rng = np.random.default_rng([parameters.random_state, i, j])
        one = exchange_test(
            index[i], index[j][partner], block, counts.shape[2], n_permutations=draws, rng=rng
        )
        results[at] = one
        if derivatives is not None:
            nuisance[at] = distortion_test(
                one.symmetric,
                values[i],
                values[j][partner],
                derivatives[i],
                derivatives[j][partner],
                block,
                edges,
                spread,
                n_permutations=draws,
                rng=rng,
            )

    run_blocks(work, range(len(pairs)), context.n_threads)
    columns = dict(zip(ExchangeTest._fields, results.T, strict=True))
    columns["p_adjusted"] = adjust_p(columns["p_value"], parameters.adjust)
    if derivatives is not None:
        columns["nuisance_p"] = nuisance
        columns["nuisance_p_adjusted"] = adjust_p(nuisance, parameters.adjust)
    none = {"symmetric": 0.0, "corrected": 0.0}
    tables = {name: _matrix(k, pairs, column, none.get(name, np.nan)) for name, column in columns.items()}
    return {"divergence": kullback_leibler(counts)} | tables


def _matrix(k: int, pairs: list[tuple[int, int]], values: ArrayLike, diagonal: float) -> NDArray[np.float64]:
    """Return the symmetric table of what was found for each pair."""
    table = np.full((k, k), diagonal)
    rows, columns = np.array(pairs).T
    table[rows, columns] = table[columns, rows] = values
    return table
