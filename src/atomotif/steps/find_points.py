"""Step `find_points`: the columns of the image (METHOD section 2)."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from scipy.spatial import KDTree

from atomotif._checks import check_choice, check_positive
from atomotif.steps.base import Context, Parameters
from atomotif.steps.measure_symmetry import order_for

METHODS = ("columns", "symmetry", "both")
CONTRASTS = ("bright", "dark", "auto")
SOURCES = ("auto", "intensity", "flattened", "denoised")
#: Radius of the patches in column spacings, and what counts as the same place.
_RADIUS, _SAME = 1.2, 0.5
#: Columns closer than this, in spacings, are one that was counted twice.
_TOO_CLOSE = 0.6
#: Axes that a column can be on.
_COLUMN_FOLDS = (2, 3, 4, 5, 6)


@dataclass(frozen=True, kw_only=True)
class FindPointsParameters(Parameters):
    """Find the columns, or other places to look at, with sub-pixel positions.

    Parameters
    ----------
    method : {"columns", "symmetry", "both"}, default "columns"
        "columns" finds maxima of intensity; "symmetry" the places about which the image has an axis of
        order `place_fold`, columns or not, as the centres of pentagons or hollows; "both" the columns and
        those of the places that lie half a spacing or more from any.
    contrast : {"auto", "bright", "dark"}, default "auto"
        Whether columns are brighter (ADF, HAADF, most STM) or darker (ABF) than what is between. "auto"
        goes by the skewness of the filtered image, and takes "bright" in doubt.
    min_prominence : float, default 2.0
        Least height of a maximum above the saddle to a higher one, in standard deviations of the
        noise of the filtered image; half and one and a half of it are tried, too, and the one that
        gives the most regular columns is taken.
    relative_prominence : float, default 0.05
        The same as a share of the strong columns' prominence.
    source : {"auto", "intensity", "flattened", "denoised"}, default "auto"
        The image to search; "auto" takes the denoised one if there is one, else the flattened one.
    prune : bool, default False
        Of columns closer than 0.6 spacings keep the one about which the image is most symmetric, where noise
        or flecks beside columns are counted, too. The spacing is the median of the points as counted, so
        that fewer than a third of the columns may be double. Not for two layers, whose columns overlap.
    place_fold : int, optional
        Order of the axis, 2 to 10; needed for "symmetry" and "both".
    place_radius : float, optional
        Radius of the patches, px; by default 1.2 times the spacing of the columns. It should take in the
        ring of columns round a place, and little more.
    empty_places : bool, optional
        Take only places whose middle is empty (True) or filled (False); by default either.
    min_score : float, optional
        Least score of a place, 0 to 1; by default what one of 10,000 patches of pure noise reaches (0.61,
        0.40, 0.37, 0.30, 0.27 for 2- to 6-fold). Raise it, as to 0.5, to leave out places that are
        symmetric in part; `place_score` of the points tells by how much.

    Examples
    --------
    >>> session.find_points(min_prominence=3).data["points"].sizes["point"] > 200
    True
    >>> hollows = session.find_points(method="symmetry", place_fold=6, empty_places=True).data["points"]
    >>> 80 < hollows.sizes["point"] < 130
    True
    """

    inputs: ClassVar[tuple[str, ...]] = ("image",)
    method: str = "columns"
    contrast: str = "auto"
    min_prominence: float = 2.0
    relative_prominence: float = 0.05
    source: str = "auto"
    prune: bool = False
    place_fold: int | None = None
    place_radius: float | None = None
    empty_places: bool | None = None
    min_score: float | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        check_choice(self.method, "method", METHODS)
        check_choice(self.contrast, "contrast", CONTRASTS)
        check_choice(self.source, "source", SOURCES)
        check_positive(self.min_prominence, "min_prominence")
        check_positive(self.relative_prominence, "relative_prominence")
        if self.place_radius is not None:
            check_positive(self.place_radius, "place_radius")
        if self.place_fold is not None and not 2 <= self.place_fold <= 10:
            raise ValueError(f"`place_fold` must be from 2 to 10, got {self.place_fold}.")
        if self.min_score is not None and not -1 <= self.min_score <= 1:
            raise ValueError(f"`min_score` must be from -1 to 1, got {self.min_score!r}.")
        if self.method != "columns" and self.place_fold is None:
            raise ValueError(f'`place_fold` must be given for `method="{self.method}"`, got None.')
        if self.method == "columns" and self.place_fold is not None:
            raise ValueError('`place_fold` goes with `method="symmetry"` or "both" only.')


def find_points(image: xr.Dataset, parameters: FindPointsParameters, context: Context) -> xr.Dataset:
    """Return the points group, without ids: those are the session's to give.

    Raises
    ------
    ValueError
        If fewer than three columns or places are found, or the radius is too small for the axis.
    """
    from atomotif.numerics.columns import find_columns
    from atomotif.numerics.noise import noise_variance

    source = parameters.source
    if source == "auto":
        source = "denoised" if "denoised" in image else "flattened"
    if source not in image:
        raise ValueError(f"`source` must be an image that was made, got {source!r}; run `denoise` first.")
    intensity = image["intensity"].values
    if intensity.min() == intensity.max():
        raise ValueError(f"`image` must not be constant, got {intensity.flat[0]:g} everywhere.")
    found = find_columns(
        image[source].values,
        # Of the image as it was taken: smoothing makes the noise of neighbouring pixels alike.
        variance=noise_variance(intensity).variance(intensity),
        n_threads=context.n_threads,
        contrast=parameters.contrast,
        min_prominence=parameters.min_prominence,
        relative_prominence=parameters.relative_prominence,
    )
    columns = found.points
    if parameters.prune and len(columns) > 1:
        columns = columns[_most_symmetric(image[source].values, columns, context.n_threads)]
    context.report(0.5)
    if len(columns) < 3:
        other = "bright" if found.contrast == "dark" else "dark"
        raise ValueError(
            f"`image` must show at least three columns, found {len(columns)}; "
            f'try `contrast="{other}"` or a lower `min_prominence`.'
        )
    made_with = {"contrast": found.contrast, "source": source, "method": parameters.method}
    if parameters.method == "columns":
        return points_group(image, columns, **made_with)
    return _with_places(image, image[source].values, columns, made_with, parameters, context)


def _most_symmetric(
    pixels: NDArray[np.floating], columns: NDArray[np.float64], n_threads: int | None
) -> NDArray[np.bool_]:
    """Return which columns stay if of those that are too close only the most symmetric does."""
    from atomotif.numerics.moments import zernike_moments
    from atomotif.numerics.spacing import nearest_neighbor_distance
    from atomotif.numerics.symmetric_places import prune_points, symmetry_response
    from atomotif.numerics.zernike import supported_order

    spacing = nearest_neighbor_distance(columns)
    order = min(10, supported_order(_RADIUS * spacing))
    moments = zernike_moments(pixels, columns, _RADIUS * spacing, order=order, n_threads=n_threads)
    folds = [n for n in _COLUMN_FOLDS if n <= order]
    return prune_points(columns, symmetry_response(moments, folds), _TOO_CLOSE * spacing)


def _with_places(
    image: xr.Dataset,
    pixels: NDArray[np.floating],
    columns: NDArray[np.float64],
    made_with: dict[str, Any],
    parameters: FindPointsParameters,
    context: Context,
) -> xr.Dataset:
    """Return the symmetric places, alone or with the columns, as a points group."""
    from atomotif.numerics.spacing import nearest_neighbor_distance
    from atomotif.numerics.symmetric_places import symmetric_places

    fold = parameters.place_fold
    assert fold is not None
    spacing = nearest_neighbor_distance(columns)
    radius = _RADIUS * spacing if parameters.place_radius is None else parameters.place_radius
    found = symmetric_places(
        -pixels if made_with["contrast"] == "dark" else pixels,
        fold,
        radius,
        empty=parameters.empty_places,
        min_score=parameters.min_score,
        order=order_for(radius, fold, "place_radius"),
        n_threads=context.n_threads,
    )
    places, score, filling = found.points, found.score, found.filling
    if parameters.method == "both":
        away = KDTree(columns).query(places)[0] >= _SAME * spacing
        nothing = np.full(len(columns), np.nan)
        places = np.concatenate([columns, places[away]])
        score, filling = np.append(nothing, score[away]), np.append(nothing, filling[away])
    if len(places) < 3:
        raise ValueError(
            f"`place_fold` must be the order of an axis that at least three places have, found {len(places)} "
            f"of order {fold}; try another `place_radius` than {radius:.3g} px or a lower `min_score`."
        )
    made = points_group(image, places, **made_with, place_radius=float(radius))
    return made.assign(place_score=("point", score), filling=("point", filling))


def points_group(image: xr.Dataset, points: NDArray[np.float64], **attrs: Any) -> xr.Dataset:
    """Return positions in px as a points group with physical coordinates and intensities.

    Parameters
    ----------
    image : xr.Dataset
        The image group.
    points : ndarray of float64, shape (n, 2)
        (row, col) in px.
    **attrs
        Attributes of the group.

    Returns
    -------
    xr.Dataset
        `row`, `col` (px), `y`, `x` (units of the image), `intensity` (of the nearest pixel).
    """
    pixel_size, units = image.attrs["pixel_size"], image.attrs["units"]
    row, col = points[:, 0], points[:, 1]
    intensity = image["intensity"].values
    nearest = (
        np.clip(np.rint(row).astype(int), 0, intensity.shape[0] - 1),
        np.clip(np.rint(col).astype(int), 0, intensity.shape[1] - 1),
    )
    return xr.Dataset(
        {
            "row": ("point", row.copy(), {"units": "px"}),
            "col": ("point", col.copy(), {"units": "px"}),
            "y": ("point", float(image["y"][0]) + row * pixel_size, {"units": units}),
            "x": ("point", float(image["x"][0]) + col * pixel_size, {"units": units}),
            "intensity": ("point", intensity[nearest]),
        },
        attrs=attrs,
    )


def positions(points: xr.Dataset) -> NDArray[np.float64]:
    """Return the (row, col) of a points group, px, shape (n, 2)."""
    return np.column_stack([points["row"].values, points["col"].values])
