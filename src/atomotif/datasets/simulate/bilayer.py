"""Twisted bilayers of hexagonal materials, with their registry everywhere."""

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import ArrayLike, NDArray
from scipy.spatial import cKDTree

from atomotif._checks import as_points, check_choice, check_finite, check_not_negative
from atomotif.datasets.simulate._atoms import column_intensity
from atomotif.datasets.simulate._frame import Displacement, Frame
from atomotif.datasets.simulate._materials import BASIS, Material, hexagonal_vectors, material_named
from atomotif.datasets.simulate._maxima import resolved_maxima
from atomotif.datasets.simulate._registry import BilayerGeometry, reduced_to_cell
from atomotif.datasets.simulate._sample import make_sample
from atomotif.numerics.rendering import Profile

__all__ = ["registry_at", "twisted_bilayer"]

#: High-symmetry stackings of each family and their registry, in bonds of layer 1.
_FAMILIES = {
    "antiparallel": {"AA'": 0, "AB'": -1, "A'B": 1},
    "parallel": {"AA": 0, "AB": 1, "BA": -1},
}
#: The stacking of the highest energy: like stands on like, and, antiparallel, the chalcogens touch.
_HIGHEST = {"antiparallel": "A'B", "parallel": "AA"}
_ALIASES = {"2H": "AA'", "3R": "AB"}
# In lattice constants: a point within this of a stacking bears its name (0.6 Å in MoS2) ...
_NEAR_STACKING = 0.19
# ... and a maximum shows the columns within this of it (0.75 Å in MoS2, 0.4 bonds).
_NEAR_MAXIMUM = 0.2373
# Inner radius of a moiré domain, in periods: half of the distance between centres of two stackings.
_INNER_RADIUS = 0.5 / np.sqrt(3)
# Sigma of the window of a perturbation.
_PERTURBED_SIGMA = 0.5 * _INNER_RADIUS


def twisted_bilayer(
    material: str = "MoS2",
    shape: tuple[int, int] = (512, 512),
    *,
    angle: float = 3.15,
    stacking: str | None = None,
    pixel_size: float = 0.0122,
    profile: Profile = 0.1,
    rotation: float = 0.0,
    translation: Sequence[float] = (0.0, 0.0),
    relaxation: float = 0.0,
    displacement: Displacement | None = None,
    layer_displacement: Displacement | None = None,
    perturbed: Sequence[int] = (),
    perturbed_stacking: str | None = None,
    perturbation_shift: Sequence[float] = (0.0, 0.0),
    perturbation_vacancies: float = 0.0,
    exponent: float = 1.7,
    random_state: int = 0,
) -> xr.Dataset:
    """Return two layers of a material, one twisted on the other.

    Parameters
    ----------
    material : {"MoS2", "MoSe2", "MoTe2", "WS2", "WSe2", "graphene", "hBN"}
    shape : (int, int), default (512, 512)
    angle : float, default 3.15
        Twist of layer 2 on layer 1, from x to y, degrees; 0 for one stacking everywhere.
    stacking : str, optional
        Stacking at the axis of the twist, by default "AA'", and "AB" where layers are of one element. Of
        antiparallel layers "AA'" (or "2H": unlike columns on each other), "AB'" (metal on metal) and "A'B"
        (chalcogen on chalcogen); of parallel layers "AA", "AB" (or "3R": the first kind of layer 2 on the
        second of layer 1) and "BA". Layers of one element have the parallel ones alone.
    pixel_size : float, default 0.0122
        nm.
    profile : Profile, default 0.1
        How a column looks: FWHM of a Gaussian, nm, or as `numerics.rendering.render_columns` with nm.
    rotation : float, default 0
        Direction of a lattice vector of layer 1, degrees.
    translation : (float, float), default (0, 0)
        (y, x), nm, from the frame's centre to the axis of the twist, a site of layer 1's first kind.
    relaxation : float, default 0
        0 for rigid layers; towards 1 the domains of low energy grow into those of the highest ("A'B" and
        "AA") and the walls between them narrow. It displaces both layers, oppositely, by up to
        0.08 lattice constants times `relaxation`.
    displacement : Displacement, optional
        Of both layers: a gradient (2, 2) about the frame's centre or a function of (y, x) in nm.
    layer_displacement : Displacement, optional
        Of layer 2 alone, likewise: strain between the layers, or a wall between stackings.
    perturbed : sequence of int, default ()
        Which domains of `perturbed_stacking` differ from the others, as counted from the top, then from the
        left, among those whose centres lie in the frame.
    perturbed_stacking : str, optional
        Default: `stacking`.
    perturbation_shift : (float, float), default (0, 0)
        (y, x) by which layer 2 is displaced at the centres of the perturbed domains, nm; it fades as a
        Gaussian with a sigma of half of a domain's inner radius (0.144 periods of the moiré).
    perturbation_vacancies : float, default 0
        Share of the second kind's columns of layer 2 within the inner radius of perturbed domains that lack
        one atom ("VS").
    exponent : float, default 1.7
        The intensity of a column is the sum of Z**exponent over its atoms.
    random_state : int, default 0
        Draws the vacancies.

    Returns
    -------
    Dataset
        `intensity` (y, x). Dim `atom` lists the columns of both layers: `atom_row`, `atom_col`, px,
        `atom_label` (names `atom_name`), `layer` (1 or 2), `atom_intensity`, `atom_visible`. Columns on top
        of each other cannot be told apart, so dim `point` lists the local maxima of the noise-free image:
        `row`, `col`, px; `visible`, False for the lower one of two maxima less than a bond apart between
        which it gets darker by less than 3 %; `label`, the nearest stacking if closer than 0.19 lattice
        constants, else "transition"; `motif`, the columns within 0.24 lattice constants ("Mo+S2"; "other" if
        none or above two); `registry` (point, axis), nm, the displacement of layer 2 from "AA'" or "AA",
        reduced to the Wigner-Seitz cell of layer 1; `stacking`, the index of the nearest of `stacking_name`
        (stacking_); `stacking_distance` (point, stacking_), nm; `domain`, the nearest domain, -1 without a
        moiré; `perturbed`. Dim `moire_domain` lists the domains' centres: `domain_row`, `domain_col`, px,
        `domain_stacking`, `domain_perturbed`. `layer_vector` (layer_, vector, axis) and `moire_vector`
        (vector, axis), nm, are those of rigid layers. `attrs` hold `twist_angle` (degrees), `period`
        (nm, of a moiré) and what was asked for.

    Raises
    ------
    ValueError
        If a name is unknown, `relaxation` is not in [0, 1), a perturbed domain is not in the frame, or a
        displacement is too steep to be inverted.

    See Also
    --------
    registry_at : The registry at any position.

    Notes
    -----
    Energies and names of stackings: Carr et al., Phys. Rev. B 98, 224102 (2018).

    Examples
    --------
    >>> sample = twisted_bilayer(angle=5.0, shape=(256, 256))
    >>> sample["label_name"].values.tolist()
    ["AA'", "AB'", "A'B", 'transition']
    >>> round(sample.attrs["period"], 3)
    3.622
    """
    chosen = material_named(material)
    if stacking is None:
        stacking = "AB" if chosen.columns[0] == chosen.columns[1] else "AA'"
    family = _family(chosen, stacking)
    check_finite(angle, "angle")
    check_finite(rotation, "rotation")
    if not 0 <= relaxation < 1:
        raise ValueError(f"`relaxation` must be at least 0 and below 1, got {relaxation!r}.")
    if not 0 <= perturbation_vacancies <= 1:
        raise ValueError(
            f"`perturbation_vacancies` must be a share from 0 to 1, got {perturbation_vacancies!r}."
        )
    check_not_negative(random_state, "random_state")
    frame = Frame(shape, pixel_size, profile, displacement)
    name = _ALIASES.get(stacking, stacking)
    to_perturb = _ALIASES.get(perturbed_stacking or name, perturbed_stacking or name)
    check_choice(to_perturb, "perturbed_stacking", tuple(_FAMILIES[family]))
    parameters: dict[Hashable, Any] = {
        "material": material,
        "twist_angle": float(angle),
        "stacking": name,
        "rotation": float(rotation),
        "translation": [float(part) for part in translation],
        "relaxation": float(relaxation),
        "perturbation_shift": [float(part) for part in perturbation_shift],
    }
    rigid = _geometry(parameters, frame, layer_displacement, np.empty((0, 2)))
    domains, domain_stacking = _domains(rigid, family)
    of_stacking = np.flatnonzero(domain_stacking == list(_FAMILIES[family]).index(to_perturb))
    which = np.unique(np.asarray(perturbed, np.int64))
    if len(which) and not (which[0] >= 0 and which[-1] < len(of_stacking)):
        raise ValueError(
            f"`perturbed` must count the {len(of_stacking)} domains of {to_perturb} in the frame from 0, "
            f"got {list(perturbed)!r}."
        )
    chosen_domains = of_stacking[which]
    geometry = _geometry(parameters, frame, layer_displacement, domains[chosen_domains])
    position, kind, layer = _columns(geometry, chosen, family)
    second = chosen.columns[1]
    missing = f"V{second.rstrip('0123456789')}"
    formula = {name: name for name in chosen.columns} | {missing: _less_one(second)}
    near = cKDTree(domains[chosen_domains]).query(position)[0] if len(which) else np.full(len(kind), np.inf)
    sites = np.flatnonzero((layer == 2) & (kind == second) & (near < _INNER_RADIUS * geometry.period))
    n_missing = round(perturbation_vacancies * len(sites))
    kind[np.random.default_rng(random_state).choice(sites, n_missing, replace=False)] = missing
    heights = {name: column_intensity(atoms, exponent) for name, atoms in formula.items()}
    columns = make_sample(
        frame,
        position,
        [heights[name] for name in kind],
        kind,
        title=f"Bilayer {material}, twisted by {angle:g}°, simulated",
        truth={"layer": (("point",), layer)},
    )
    seen, value, visible = resolved_maxima(columns["intensity"].values, chosen.bond / pixel_size)
    registry = geometry.registry(seen * pixel_size)
    names = list(_FAMILIES[family])
    steps = np.array(list(_FAMILIES[family].values()))[:, None] * geometry.bond
    distance = np.stack(
        [np.linalg.norm(reduced_to_cell(registry - step, geometry.vectors), axis=1) for step in steps], -1
    )
    nearest = distance.argmin(axis=1)
    close = distance.min(axis=1) < _NEAR_STACKING * chosen.lattice_constant
    motif = _columns_near(columns, seen, _NEAR_MAXIMUM * chosen.lattice_constant / pixel_size)
    label_name, label = _named(
        np.where(close, np.array(names)[nearest], "transition"), [*names, "transition"]
    )
    motif_name, motif_index = _named(motif, [*sorted(set(motif) - {"other"}), "other"])
    domain_pixel = frame.displaced(domains) / pixel_size
    domain = np.full(len(seen), -1)
    if len(domains):
        domain = cKDTree(domain_pixel).query(seen)[1]
    is_perturbed = np.isin(np.arange(len(domains)), chosen_domains)
    renamed = {"point": "atom", "kind": "atom_kind", "row": "atom_row", "col": "atom_col"}
    renamed |= {"label": "atom_label", "label_name": "atom_name", "visible": "atom_visible"}
    renamed |= {"column_intensity": "atom_intensity", "displacement_gradient": "atom_displacement_gradient"}
    renamed |= {"displacement": "atom_displacement"}
    atoms = columns.drop_vars(["motif", "motif_name"])
    atoms = atoms.rename({old: new for old, new in renamed.items() if old in {*atoms.variables, *atoms.dims}})
    turned = np.stack([geometry.vectors, geometry.vectors @ geometry.turn])
    return (
        atoms.assign(
            row=("point", seen[:, 0]),
            col=("point", seen[:, 1]),
            label=("point", label),
            motif=("point", motif_index),
            visible=("point", visible),
            column_intensity=("point", value),
            label_name=("kind", label_name),
            motif_name=("motif_kind", motif_name),
            registry=(("point", "axis"), registry, {"units": "nm"}),
            stacking=("point", nearest),
            stacking_distance=(("point", "stacking_"), distance, {"units": "nm"}),
            stacking_name=("stacking_", names),
            domain=("point", domain),
            perturbed=("point", is_perturbed[domain] if len(domains) else np.zeros(len(seen), bool)),
            domain_row=("moire_domain", domain_pixel[:, 0]),
            domain_col=("moire_domain", domain_pixel[:, 1]),
            domain_stacking=("moire_domain", domain_stacking),
            domain_perturbed=("moire_domain", is_perturbed),
            layer_vector=(("layer_", "vector", "axis"), turned, {"units": "nm"}),
            moire_vector=(("vector", "axis"), geometry.moire_vectors, {"units": "nm"}),
        )
        .assign_coords(axis=["y", "x"])
        .assign_attrs(
            parameters | ({"period": geometry.period} if geometry.has_moire else {}),
            displacement=_kept(displacement),
            layer_displacement=_kept(layer_displacement),
            perturbed_centres=domains[chosen_domains].ravel().tolist(),
            perturbation_vacancies=float(perturbation_vacancies),
            exponent=float(exponent),
            random_state=random_state,
        )
    )


def registry_at(sample: xr.Dataset, rowcol: ArrayLike) -> NDArray[np.float64]:
    """Return the true registry of a bilayer of `twisted_bilayer` at any position.

    Parameters
    ----------
    sample : Dataset
        As `twisted_bilayer` or, from it, `add_noise` returns it.
    rowcol : array_like, shape (n, 2)
        (row, col), px; in a sample with drift, as they appear.

    Returns
    -------
    ndarray of float64, shape (n, 2)
        (y, x), nm: the displacement of layer 2 from "AA'" (or "AA"), reduced to the Wigner-Seitz cell of
        layer 1. The other stackings lie at its corners, of which any three in turn are equivalent.

    Raises
    ------
    ValueError
        If the sample is no bilayer, or was displaced by a function: those are not kept.

    Examples
    --------
    >>> sample = twisted_bilayer(angle=3.15, shape=(129, 129))
    >>> registry_at(sample, [[64.0, 64.0], [64.0, 84.0]]).round(4)
    array([[0.    , 0.    ],
           [0.0134, 0.0004]])
    """
    attrs = sample.attrs
    if "twist_angle" not in attrs:
        raise ValueError("`sample` must be made by `twisted_bilayer`, got another one.")
    gradients = {}
    for key in ("displacement", "layer_displacement"):
        if isinstance(attrs[key], str):
            raise ValueError(
                f"`sample` must not have a function as `{key}`, which is not kept: its `registry` is exact."
            )
        gradients[key] = np.reshape(attrs[key], (2, 2)) if len(attrs[key]) else None
    rows, cols = sample["intensity"].shape
    frame = Frame((rows, cols), attrs["pixel_size"], displacement=gradients["displacement"])
    perturbed = np.reshape(attrs["perturbed_centres"], (-1, 2))
    geometry = _geometry(attrs, frame, gradients["layer_displacement"], perturbed)
    pixel = as_points(rowcol, "rowcol")
    if "drift" in sample:
        lines = np.arange(rows)
        drift = sample["drift"].values
        pixel = pixel + np.column_stack([np.interp(pixel[:, 0], lines, drift[:, axis]) for axis in (0, 1)])
    return geometry.registry(pixel * frame.pixel_size)


def _family(material: Material, stacking: str) -> str:
    """Return whether a stacking is of antiparallel or of parallel layers."""
    families = ["parallel"] if material.columns[0] == material.columns[1] else list(_FAMILIES)
    known = {name: family for family in families for name in _FAMILIES[family]}
    known |= {alias: known[name] for alias, name in _ALIASES.items() if name in known}
    return known[check_choice(stacking, "stacking", tuple(known))]


def _geometry(
    parameters: Mapping[Hashable, Any],
    frame: Frame,
    layer_displacement: Displacement | None,
    perturbed: NDArray[np.float64],
) -> BilayerGeometry:
    """Return where the layers are; `perturbed` are the centres of domains, nm."""
    material = material_named(parameters["material"])
    vectors = hexagonal_vectors(material.lattice_constant, parameters["rotation"])
    bond = (BASIS[1] - BASIS[0]) @ vectors
    family = _family(material, parameters["stacking"])
    steps = _FAMILIES[family]
    further: list[Callable[[NDArray[np.float64]], NDArray[np.float64]]] = []  # of layer 2
    gradient = np.zeros((2, 2))
    if callable(layer_displacement):
        moving = Frame(frame.shape, frame.pixel_size, displacement=layer_displacement)
        further.append(lambda position: moving.displaced(position) - position)
    elif layer_displacement is not None:
        gradient = _gradient(layer_displacement)
    geometry = BilayerGeometry(
        frame=frame,
        vectors=vectors,
        bond=bond,
        centre=frame.centre + parameters["translation"],
        twist=parameters["twist_angle"],
        shift=steps[parameters["stacking"]] * bond,
        highest=steps[_HIGHEST[family]] * bond,
        relaxation=parameters["relaxation"],
        layer_gradient=gradient,
        local_shift=lambda position: np.sum([0 * position, *(part(position) for part in further)], axis=0),
    )
    if len(perturbed):
        variance = (_PERTURBED_SIGMA * geometry.period) ** 2
        shift = np.asarray(parameters["perturbation_shift"], np.float64)

        def perturbation(position: NDArray[np.float64]) -> NDArray[np.float64]:
            square = ((position[:, None] - perturbed) ** 2).sum(axis=2)
            moved: NDArray[np.float64] = np.exp(-square / (2 * variance)).sum(axis=1)[:, None] * shift
            return moved

        further.append(perturbation)
    return geometry


def _gradient(displacement: ArrayLike) -> NDArray[np.float64]:
    gradient = np.asarray(displacement, np.float64)
    if gradient.shape != (2, 2) or not np.isfinite(gradient).all():
        raise ValueError(
            f"`layer_displacement` must be a finite gradient of shape (2, 2) or callable, got {gradient!r}."
        )
    return gradient


def _domains(geometry: BilayerGeometry, family: str) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the centres (n, 2) of the domains that lie in the frame, nm, and their stackings."""
    places = [geometry.places(step * geometry.bond) for step in _FAMILIES[family].values()]
    stacking = np.repeat(np.arange(len(places)), [len(place) for place in places])
    place = np.concatenate(places)
    inside = geometry.frame.listed(geometry.frame.displaced(place))
    place, stacking = place[inside], stacking[inside]
    # Rounded, so that domains of one height stand in the order of their columns.
    order = np.lexsort(np.round(place, 6).T[::-1])
    return place[order], stacking[order].astype(np.int64)


def _columns(
    geometry: BilayerGeometry, material: Material, family: str
) -> tuple[NDArray[np.float64], NDArray[np.object_], NDArray[np.int64]]:
    """Return all columns of both layers: positions before what displaces both, kinds and layers."""
    positions, kinds, layers = [], [], []
    for layer in (1, 2):
        position, which = geometry.sites(layer)
        # The antiparallel partner has its second kind on the first.
        swapped = layer == 2 and family == "antiparallel"
        positions.append(position)
        kinds.append(np.array(material.columns)[1 - which if swapped else which])
        layers.append(np.full(len(which), layer))
    return np.concatenate(positions), np.concatenate(kinds).astype(object), np.concatenate(layers)


def _columns_near(columns: xr.Dataset, seen: NDArray[np.float64], reach: float) -> list[str]:
    """Return the names of the columns with atoms near each maximum, the brightest first."""
    there = columns.isel(point=np.flatnonzero(columns["visible"]))
    position = np.column_stack([there["row"], there["col"]])
    kind = there["label_name"].values[there["label"].values]
    order = np.argsort(-there["column_intensity"].values, kind="stable")
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    names = []
    for near in cKDTree(position).query_ball_point(seen, reach):
        bright = sorted(near, key=rank.__getitem__)
        names.append("+".join(kind[bright]) if 1 <= len(bright) <= 2 else "other")
    return names


def _named(names: ArrayLike, order: Sequence[str]) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Return the names that occur, in the given order, and the index of each."""
    given = np.asarray(names, str)
    found = np.array([name for name in order if name in set(given.tolist())], str)
    return found, np.array([found.tolist().index(name) for name in given], np.int64)


def _less_one(formula: str) -> str:
    """Return a column's formula with one atom less."""
    symbol = formula.rstrip("0123456789")
    left = int(formula[len(symbol) :] or 1) - 1
    return symbol * left


def _kept(displacement: Displacement | None) -> list[float] | str:
    """Return what an attribute can hold of a displacement."""
    if callable(displacement):
        return "function"
    return [] if displacement is None else np.ravel(np.asarray(displacement, float)).tolist()
