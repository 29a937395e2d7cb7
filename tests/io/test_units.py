"""Lengths and units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from atomotif.io.units import canonical_unit, parse_length, pixel_size_in, to_nm

# Powers of ten over the nm, independently of the module's own table.
NM = {"pm": -3, "Å": -1, "nm": 0, "µm": 3, "mm": 6, "m": 9}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0.0127nm", 0.0127),
        ("12.7 pm", 0.0127),
        ("0.127 Å", 0.0127),
        ("0.127 \u212b", 0.0127),
        (" 0.127 Angstroms ", 0.0127),
        ("1.27e-5 um", 0.0127),
        ("1.27e-5 \u03bcm", 0.0127),
        ("1.27E-5 \\u00B5m", 0.0127),
        ("1.27e-11 m", 0.0127),
        (".5 nanometres", 0.5),
        ("2", 2.0),
        ("+2.", 2.0),
    ],
)
def test_lengths_as_people_write_them(text: str, expected: float) -> None:
    assert parse_length(text) == expected


@pytest.mark.parametrize(
    "text", ["", "nm", "0 nm", "-1 nm", "1 px", "1 1/nm", "1,2 nm", "1 eV", "1e999 nm", "1 Mm"]
)
def test_what_is_no_length_is_refused_with_its_text(text: str) -> None:
    with pytest.raises(ValueError, match="`pixel_size` must") as error:
        parse_length(text)
    assert repr(text) in str(error.value)


@given(st.floats(1e-6, 1e6), st.sampled_from(sorted(NM)), st.sampled_from(["", " ", "  "]))
def test_text_and_number_agree_with_the_power_of_ten(value: float, unit: str, space: str) -> None:
    expected = value * 10.0 ** NM[unit]
    assert parse_length(f"{value!r}{space}{unit}") == pytest.approx(expected, rel=1e-14)
    assert to_nm(value, unit) == pytest.approx(expected, rel=1e-14)
    assert pixel_size_in(value, unit) == (to_nm(value, unit), "nm")


@pytest.mark.parametrize("unit", ["1/nm", "nm^-1", "nm⁻¹", "1/Å", "mrad"])
def test_reciprocal_space_is_told_apart(unit: str) -> None:
    with pytest.raises(ValueError, match="reciprocal space"):
        canonical_unit(unit)


@pytest.mark.parametrize("unit", ["eV", "s", "K", "Mm", "Pm", "parsec"])
def test_other_units_are_refused(unit: str) -> None:
    with pytest.raises(ValueError, match="`units` must be a length"):
        canonical_unit(unit)


@pytest.mark.parametrize("unit", ["", "px", "Pixels", "<undefined>", "none", " "])
def test_no_unit_is_px(unit: str) -> None:
    assert canonical_unit(unit) == "px"


@pytest.mark.parametrize("size", [0, -1.0, float("nan"), float("inf")])
def test_sizes_must_be_positive(size: float) -> None:
    with pytest.raises(ValueError, match="`pixel_size` must be positive"):
        pixel_size_in(size)


@pytest.mark.parametrize("size", [True, None, [1.0], 1j])
def test_sizes_must_be_numbers(size: object) -> None:
    with pytest.raises(TypeError, match="`pixel_size` must be a number"):
        pixel_size_in(size)  # type: ignore[arg-type]


def test_pixels_have_the_size_one() -> None:
    assert pixel_size_in(1, "px") == (1.0, "px")
    with pytest.raises(ValueError, match="must be 1 where"):
        pixel_size_in(2, "px")
    with pytest.raises(TypeError, match="`units` must be a string"):
        pixel_size_in(2, 3)  # type: ignore[arg-type]
