"""A session in a few honest lines of text."""

from collections.abc import Mapping, Sequence

import numpy as np
import xarray as xr
from numpy.typing import NDArray


def session_text(
    title: str,
    data: xr.DataTree,
    stale: Sequence[str],
    branches: Sequence[str],
    left_out: Mapping[str, str] | None = None,
) -> str:
    """Return what a session holds, a line for each group that is there.

    Parameters
    ----------
    title : str
        The session's title.
    data : xr.DataTree
        Its groups.
    stale : sequence of str
        The groups that are out of date.
    branches : sequence of str
        Names of its branches.
    left_out : mapping of str to str, optional
        Groups that `run` did not make, and why.

    Returns
    -------
    str
    """
    image = data["image"]
    rows, cols = image.sizes["y"], image.sizes["x"]
    size, units = image.attrs["pixel_size"], image.attrs["units"]
    extent = "" if units == "px" else f", {cols * size:.3g} x {rows * size:.3g} {units}"
    lines = [f"MotifSession: {title}", f"  image     {cols} x {rows} px{extent}"]
    for name, text in _groups(data):
        mark = " (stale: call `run`)" if name in stale else ""
        lines.append(f"  {name:<9} {text}{mark}")
    told: set[str] = set()
    for name, reason in (left_out or {}).items():
        if reason not in told:  # what depends on something that is not there has the same reason
            lines.append(f"  {name:<9} {reason}")
        told.add(reason)
    if "points" not in data.children:
        lines.append("  nothing found yet: call `run`")
    if branches:
        lines.append(f"  branches  {', '.join(branches)}")
    return "\n".join(lines)


def _groups(data: xr.DataTree) -> list[tuple[str, str]]:
    lines = []
    denoised = data["image"].dataset.get("denoised")
    if denoised is not None and "surviving_contrast" in denoised.attrs:
        kept = denoised.attrs["surviving_contrast"]
        lines.append(("denoised", f"{100 * kept:.0f} % of a vacancy's contrast survives"))
    if "points" in data.children:
        lines.append(("points", f"{data['points'].sizes['point']} columns"))
    if "patch" in data.children:
        patch = data["patch"].attrs
        lines.append(
            (
                "patch",
                f"{patch['patch_size']:.1f} px, columns {patch['nearest_neighbor']:.1f} px apart "
                f"(confidence {patch['confidence']:.2f})",
            )
        )
    if "features" in data.children:
        attrs = data["features"].attrs
        kind = "rotation-invariant" if attrs["rotation_invariant"] else "oriented"
        lines.append(("features", f"Zernike moments of patches of {attrs['patch_size']:.1f} px, {kind}"))
        if attrs.get("continuous", 0):
            lines.append(
                (
                    "sample",
                    f"continuous: like patches do not recur as motifs do (ratio {attrs['continuity']:.1f}, "
                    f"of motifs at most {attrs['continuity_threshold']:g}); clusters would mislead",
                )
            )
    if "symmetry_map" in data.children:
        maps = data["symmetry_map"].to_dataset()
        folds = ", ".join(map(str, maps["fold"].values))
        lines.append(
            (
                "symmetry_map",
                f"folds {folds} within {maps.attrs['radius']:.1f} px, every {maps.attrs['step']} px",
            )
        )
    if "symmetry" in data.children:
        lines.append(("symmetry", f"of the patches: {_scores(data['symmetry'].to_dataset())}"))
    if "grains" in data.children:
        grains = data["grains"].to_dataset()
        boundary = int((grains["grain"] < 0).sum())
        n_grains, fold = grains.sizes["grain_"], grains.attrs["fold"]
        counts = ", ".join(map(str, grains["count"].values[:12].tolist()))
        rest = ", ..." if n_grains > 12 else ""
        which = f"{n_grains}: {counts}{rest} points" if n_grains else "none found"
        lines.append(("grains", f"{which} by the {fold}-fold axis; {boundary} points in none"))
    if "layout" in data.children:
        lines.append(("layout", f"{data['layout'].sizes['point']} points in the plane"))
    if "motifs" in data.children:
        motifs = data["motifs"].dataset
        counts = ", ".join(
            f"{name} {count}" for name, count in zip(motifs["name"].values[:12], motifs["count"].values[:12])
        )
        more = ", ..." if motifs.sizes["motif"] > 12 else ""
        none = int(np.count_nonzero(motifs["label"].values < 0))
        found = f"{motifs.sizes['motif']}: {counts}{more}" if counts else "none found"
        lines.append(("motifs", found + (f"; {none} points without" if none else "")))
    if "lattice" in data.children:
        lattice = data["lattice"].to_dataset()
        a, b = lattice["length"].values
        units = lattice["length"].attrs["units"]
        lines.append(
            (
                "lattice",
                f"a = {a:.3g}, b = {b:.3g} {units}, {lattice.attrs['angle']:.1f} deg, "
                f"{lattice.sizes['sublattices']} columns a cell (quality {lattice.attrs['quality']:.2f})",
            )
        )
    if "strain" in data.children:
        strain = data["strain"].to_dataset()
        errors = float(np.nanmedian(strain["exx_error"].values))
        spread = ", ".join(f"{name} {_spread(strain[name].values)}" for name in ("exx", "eyy", "exy"))
        lines.append(("strain", f"{spread} (median and spread over the columns; error {100 * errors:.2g} %)"))
    if "cells" in data.children:
        cells = data["cells"].to_dataset()
        minority, known = int(cells["minority"].sum()), int((cells["class"] >= 0).sum())
        n_classes = cells.sizes["class_"]
        line = f"{known} of {n_classes} classes, {minority} not of the crystal"
        if minority == 0 and n_classes > 1:
            line += " (all are frequent: say what the crystal is with `dominant`)"
        lines.append(("cells", line))
    if "hierarchy" in data.children:
        hierarchy = data["hierarchy"].to_dataset()
        levels = int(hierarchy["level"].values.max(initial=0))
        lines.append(
            (
                "hierarchy",
                f"{hierarchy.sizes['node']} motif-cells of up to {levels} {hierarchy.attrs['unit']}, "
                f"{int(hierarchy['count'].sum())} occurrences, {hierarchy.sizes['edge']} edges, "
                f"symmetry of order {hierarchy.attrs['symmetry_order']}",
            )
        )
    if "environments" in data.children:
        group = data["environments"].to_dataset()
        known, count = int(group["class_count"].sum()), group.sizes["center"]
        lines.append(
            (
                "environments",
                f"{group.sizes['class_']} classes of {known} centres, {count - known} cut by the edge",
            )
        )
    if "quads" in data.children:
        group = data["quads"].to_dataset()
        empty, partial, filled = group["pentagon_count"].values
        both = group["sublattice"].values < 0
        chance = ", ".join(
            f"p = {p:.2g} on level {level}"
            for level, p in zip(group["level"].values[both], group["p"].values[both], strict=True)
        )
        lines.append(
            (
                "quads",
                f"{group.sizes['quad']} of {empty} empty, {filled} filled, {partial} partly filled ones; "
                f"as ordered by chance: {chance}",
            )
        )
    if "reconstruction" in data.children:
        group = data["reconstruction"].to_dataset()
        explained, limit = group.attrs["explained_variance"], group.attrs["explained_variance_limit"]
        lines.append(
            (
                "reconstruction",
                f"{100 * explained:.1f} % of the variance explained, {100 * limit:.1f} % is not noise; "
                f"SSIM {group.attrs['ssim']:.2f}, {group.sizes['candidate']} places unaccounted for",
            )
        )
    return lines + _continuous(data)


def _continuous(data: xr.DataTree) -> list[tuple[str, str]]:
    """Return the lines of what is found in continuous samples."""
    lines = []
    if "moire" in data.children:
        moire = data["moire"].to_dataset()
        of, units = moire.attrs, moire["registry"].attrs["units"]
        lines.append(
            (
                "moire",
                f"twist {of['twist_angle']:.3f} +- {of['twist_error']:.3f} deg, "
                f"period {of['period']:.4g} +- {of['period_error']:.1g} {units}, {of['arrangement']} layers",
            )
        )
    if "anchors" in data.children:
        anchors = data["anchors"].to_dataset()
        counts = zip(anchors["name"].values, anchors["count"].values, strict=True)
        lines.append(("anchors", ", ".join(f"{name} {count}" for name, count in counts) + " points nearest"))
    if "domains" in data.children:
        domains = data["domains"].to_dataset()
        cut = int(domains["at_edge"].sum())
        lines.append(("domains", f"{domains.sizes['domain_']}, {cut} of them cut by the edge"))
    if "comparison" in data.children:
        group = data["comparison"].to_dataset()
        pairs = np.triu_indices(group.sizes["compared"], 1)
        corrected, p = group["corrected"].values[pairs], group["p_adjusted"].values[pairs]
        lines.append(
            (
                "comparison",
                f"{len(p)} pairs of {group.sizes['compared']} domains differ by {corrected.min():.3f} to "
                f"{corrected.max():.3f} nats per feature, {int((p <= 0.05).sum())} significantly",
            )
        )
    return lines


def _spread(values: NDArray[np.float64]) -> str:
    low, middle, high = 100 * np.nanpercentile(values, [15.9, 50, 84.1])
    return f"{middle:.2g} +- {(high - low) / 2:.2g} %"


def _scores(symmetry: xr.Dataset) -> str:
    scores = np.nanmedian(symmetry["rotation"].values, axis=0)
    each = ", ".join(f"{fold}-fold {score:.2f}" for fold, score in zip(symmetry["fold"].values, scores))
    return f"{each}, mirror {np.nanmedian(symmetry['mirror'].values):.2f} (medians)"
