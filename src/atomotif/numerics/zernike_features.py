"""Zernike moments of ready-made patches, as a scikit-learn transformer."""

from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from atomotif.numerics._moment_algebra import check_order, index_pairs, invariant_pairs, magnitudes
from atomotif.numerics.moments import zernike_moments
from atomotif.numerics.zernike import reconstruct

__all__ = ["ZernikeFeatures"]

# Pixels converted at a time: a float32 copy of 16 MB, whatever the number of patches.
_BLOCK_PIXELS = 2**22


class ZernikeFeatures(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Zernike moments, or their rotation-invariant magnitudes, of patches.

    The disc is the largest that fits into a patch, centred in it. For patches cut from an image,
    `atomotif.numerics.moments.zernike_moments` does the same without cutting, at sub-pixel centres.

    Parameters
    ----------
    order : int, default 10
        Highest radial order; 10 gives 66 moments or 36 magnitudes (Dan et al. 2022).
    rotation_invariant : bool, default False
        Give the magnitudes, which do not change when a patch turns about its centre. By default the
        moments, as these can be turned into patches again.
    n_threads : int, optional
        By default as many as there are processors. The result does not depend on it.

    Attributes
    ----------
    patch_shape_ : tuple of int
        Rows and columns of the patches seen in `fit`.
    radius_ : float
        Radius of the disc, px: half of the shorter side.

    Examples
    --------
    >>> patches = np.random.default_rng(0).normal(size=(5, 32, 32))
    >>> ZernikeFeatures().fit_transform(patches).shape
    (5, 66)
    >>> ZernikeFeatures(rotation_invariant=True).fit_transform(patches).shape
    (5, 36)
    """

    def __init__(
        self, order: int = 10, rotation_invariant: bool = False, n_threads: int | None = None
    ) -> None:
        self.order = order
        self.rotation_invariant = rotation_invariant
        self.n_threads = n_threads

    def fit(self, X: ArrayLike, y: Any = None) -> Self:  # noqa: ARG002
        """Remember the shape of the patches; nothing is learnt.

        Parameters
        ----------
        X : array_like, shape (n, rows, cols)
            Patches, at least 2 x 2 px.
        y : object, optional
            Ignored; there for pipelines.

        Returns
        -------
        ZernikeFeatures
            The estimator itself.

        Raises
        ------
        ValueError
            If `X` does not have three axes or holds no patch.
        """
        check_order(self.order)
        patches = _as_patches(X)
        if not len(patches):
            raise ValueError("`X` must hold at least one patch, got none.")
        self.patch_shape_ = (int(patches.shape[1]), int(patches.shape[2]))
        self.radius_ = min(self.patch_shape_) / 2
        return self

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the features of patches.

        Parameters
        ----------
        X : array_like, shape (n, rows, cols)
            Finite patches of the shape seen in `fit`.

        Returns
        -------
        ndarray of float32, shape (n, n_features)
            Moments in the order of `index_pairs`, or magnitudes in that of `invariant_pairs`.

        Raises
        ------
        ValueError
            If a patch has another shape or a value is not finite.

        Warns
        -----
        AtomotifWarning
            If the patches are too small for the order, see `zernike_moments`.
        """
        check_is_fitted(self)
        patches = _as_patches(X)
        if patches.shape[1:] != self.patch_shape_:
            raise ValueError(
                f"`X` must hold patches of shape {self.patch_shape_} as in `fit`, got {patches.shape[1:]}."
            )
        rows, cols = self.patch_shape_
        moments = np.empty((len(patches), len(index_pairs(self.order)[0])), dtype=np.float32)
        step = max(1, _BLOCK_PIXELS // (rows * cols))
        for start in range(0, len(patches), step):
            block = patches[start : start + step]
            # Patches one below the other are an image, and no disc leaves its own patch.
            centers = np.empty((len(block), 2))
            centers[:, 0] = np.arange(len(block)) * rows + (rows - 1) / 2
            centers[:, 1] = (cols - 1) / 2
            moments[start : start + step] = zernike_moments(
                block.reshape(-1, cols),
                centers,
                self.radius_,
                order=self.order,
                subpixel=False,
                n_threads=self.n_threads,
            )
        return magnitudes(moments) if self.rotation_invariant else moments

    def inverse_transform(self, X: ArrayLike) -> NDArray[np.float64]:
        """Return the patches that have the given moments.

        Parameters
        ----------
        X : array_like, shape (n, n_moments)
            Moments, as `transform` returns them.

        Returns
        -------
        ndarray of float64, shape (n, rows, cols)
            Zero outside the disc; see `atomotif.numerics.zernike.reconstruct`.

        Raises
        ------
        ValueError
            If `rotation_invariant` is set: magnitudes do not determine a patch.
        """
        check_is_fitted(self)
        if self.rotation_invariant:
            raise ValueError("`inverse_transform` needs moments, got `rotation_invariant=True`.")
        moments = np.asarray(X, dtype=np.float64)
        n_moments = len(index_pairs(self.order)[0])
        if moments.ndim != 2 or moments.shape[1] != n_moments:
            raise ValueError(f"`X` must have shape (n, {n_moments}), got {moments.shape}.")
        return reconstruct(moments, self.radius_, self.patch_shape_)

    def get_feature_names_out(self, input_features: Any = None) -> NDArray[np.object_]:  # noqa: ARG002
        """Return a name for every feature, such as ``zernike_4_-2`` or ``magnitude_4_2``.

        Parameters
        ----------
        input_features : object, optional
            Ignored: pixels have no names.

        Returns
        -------
        ndarray of str, shape (n_features,)
        """
        check_is_fitted(self)
        pairs = invariant_pairs(self.order) if self.rotation_invariant else index_pairs(self.order)
        stem = "magnitude" if self.rotation_invariant else "zernike"
        return np.array([f"{stem}_{p}_{q}" for p, q in zip(*pairs, strict=True)], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        tags.input_tags.two_d_array = False
        return tags

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "patch_shape_")


def _as_patches(X: ArrayLike) -> NDArray[Any]:
    """Return patches as an array with three axes; values are checked where they are converted."""
    patches = np.ma.asanyarray(X) if isinstance(X, np.ma.MaskedArray) else np.asarray(X)
    if patches.ndim != 3 or min(patches.shape[1:]) < 2:
        raise ValueError(f"`X` must have shape (n, rows >= 2, cols >= 2), got {patches.shape}.")
    return patches
