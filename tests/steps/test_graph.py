"""The graph of the steps: order, dependencies and names of parameters."""

import json
from collections import Counter
from dataclasses import FrozenInstanceError

import pytest

from atomotif.numerics import force_layout
from atomotif.steps.compute_layout import PRESETS
from atomotif.steps.find_cells import FindCellsParameters
from atomotif.steps.find_motifs import FindMotifsParameters
from atomotif.steps.graph import GROUPS, STEPS, dependents, makers, steps_with


def test_every_step_reads_only_what_earlier_steps_make() -> None:
    made = {"image"}
    for step in STEPS.values():
        assert set(step.parameters().required()) <= made | {step.group}
        made.add(step.group)


def test_parameters_are_frozen_and_json() -> None:
    for step in STEPS.values():
        parameters = step.parameters()
        stored = json.loads(json.dumps(parameters.to_dict()))
        assert step.parameters.from_dict(stored | {"of a later version": 1}) == parameters
        with pytest.raises(FrozenInstanceError):
            parameters.random_state = 1  # type: ignore[attr-defined]


def test_dependents_follow_the_values() -> None:
    crystal = ("lattice", "strain", "cells", "hierarchy")
    around = ("environments", "quads", "reconstruction")
    turned = ("symmetry", "grains")
    mixed = ("anchors", "domains", "comparison")
    assert dependents("features", {}) == (*turned, "layout", "motifs", *crystal, *around, *mixed)
    assert dependents("moire", {}) == mixed
    assert dependents("layout", {}) == ()
    by_layout = {"find_motifs": FindMotifsParameters(method="layout")}
    assert dependents("layout", by_layout) == ("motifs", *crystal, *around)
    assert dependents("image", {}) == GROUPS[1:]
    assert dependents("lattice", {}) == crystal[1:]
    assert dependents("lattice", {"find_cells": FindCellsParameters(cells="voronoi")}) == (
        "strain",
        "hierarchy",
    )


def test_only_general_names_are_shared() -> None:
    names = Counter(name for step in STEPS.values() for name in step.parameters.names())
    assert {name for name, count in names.items() if count > 1} == {"method", "source", "random_state"}
    assert [step.verb for step in steps_with("patch_size")] == ["compute_features"]
    assert [step.verb for step in makers("image")] == ["flatten", "denoise"]


@pytest.mark.parametrize(
    ("verb", "values", "message"),
    [
        ("flatten", {"method": "planes"}, r"`method` must be one of 'auto', .* got 'planes'"),
        ("flatten", {"scale": -1}, r"`scale` must be positive and finite, got -1"),
        ("find_points", {"contrast": "grey"}, r"`contrast` must be one of"),
        ("compute_features", {"patch_size": 1}, r"`patch_size` must be at least 4 px, got 1"),
        ("compute_features", {"patch_size": float("nan")}, r"`patch_size` must be positive and finite"),
        ("find_motifs", {"method": "layout", "n_motifs": 3}, r"`n_motifs` goes with"),
        ("compute_layout", {"preset": "umap"}, r"`preset` must be one of"),
    ],
)
def test_bad_values_are_refused_in_one_sentence(verb: str, values: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        STEPS[verb].parameters(**values)


def test_presets_are_those_of_the_layout() -> None:
    assert set(PRESETS) == set(force_layout.PRESETS)
