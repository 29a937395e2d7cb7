"""Readers: values, calibration and the sentence for every bad file."""

import io
import struct
import subprocess
import sys
import zipfile
import zlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tifffile
import xarray as xr
from PIL import Image

from atomotif.io.readers import known_extensions, read, to_dataarray

RNG = np.random.default_rng(7)
GREY = RNG.integers(0, 60000, (16, 17)).astype(np.uint16)


def check(image: xr.DataArray, values: np.ndarray, pixel_size: float = 1.0, units: str = "px") -> None:
    assert image.dtype == np.float32
    assert image.dims == ("y", "x")
    np.testing.assert_array_equal(image.values, values.astype(np.float32))
    assert image.attrs["pixel_size"] == pytest.approx(pixel_size, rel=1e-6)
    assert type(image.attrs["pixel_size"]) is float
    assert image.attrs["units"] == units
    np.testing.assert_allclose(image.y, np.arange(values.shape[0]) * image.attrs["pixel_size"], rtol=1e-12)
    np.testing.assert_allclose(image.x, np.arange(values.shape[1]) * image.attrs["pixel_size"], rtol=1e-12)


@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", ">i4", "<f4", ">f8", "f2", "?"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_npy_of_any_type(tmp_path: Path, dtype: str, order: str) -> None:
    values = np.asarray(GREY % 200, dtype=dtype, order=order)  # type: ignore[call-overload]
    np.save(tmp_path / "a.npy", values)
    image = read(tmp_path / "a.npy", pixel_size="12.7 pm")
    check(image, values, 0.0127, "nm")
    assert image.attrs["source"] == "a.npy"


def test_npz_finds_the_image_and_its_scale(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    np.savez(path, image=GREY, other=np.zeros((9, 9)), pixel_size_nm=0.02)
    check(read(path), GREY, 0.02, "nm")
    check(read(str(path), key="other"), np.zeros((9, 9)), 0.02, "nm")
    np.savez(path, only=GREY, n=3, pixel_size=0.2, units="Å")
    check(read(path), GREY, 0.02, "nm")
    np.savez(path, first=GREY, second=GREY)
    with pytest.raises(ValueError, match=r"`key` must name the image.*'first', 'second'"):
        read(path)
    with pytest.raises(ValueError, match="`key` must be one of first, second"):
        read(path, key="third")
    np.save(tmp_path / "a.npy", GREY)
    with pytest.raises(ValueError, match=r"`key` must be left out except for \.npz"):
        read(tmp_path / "a.npy", key="image")


class Trap:
    """Unpickling this writes a file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


@pytest.mark.parametrize("suffix", ["npy", "npz"])
def test_pickles_are_never_loaded(tmp_path: Path, suffix: str) -> None:
    sprung = tmp_path / "sprung"
    path = tmp_path / f"a.{suffix}"
    array = np.array([[Trap(sprung)]], dtype=object)
    if suffix == "npy":
        np.save(path, array, allow_pickle=True)
    else:
        np.savez(path, image=array)
    with pytest.raises(ValueError, match="pickled Python objects, which are never loaded"):
        read(path)
    assert not sprung.exists()


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "zlib"])
def test_tiff_resolution_is_the_calibration(tmp_path: Path, byteorder: str, compression: str | None) -> None:
    path = tmp_path / "a.tif"
    per_cm = 1e7 / 0.0127
    tifffile.imwrite(
        path,
        GREY,
        byteorder=byteorder,
        compression=compression,
        resolution=(per_cm, per_cm),
        resolutionunit=3,
    )
    check(read(path), GREY, 0.0127, "nm")


def test_tiff_of_a_printer_or_of_nothing_has_no_scale(tmp_path: Path) -> None:
    path = tmp_path / "a.tiff"
    tifffile.imwrite(path, GREY, resolution=(300, 300), resolutionunit=2)
    check(read(path), GREY)
    tifffile.imwrite(path, GREY)
    check(read(path), GREY)
    check(read(path, pixel_size=0.3, units="Å"), GREY, 0.03, "nm")
    with pytest.raises(ValueError, match="`pixel_size` must be given with"):
        read(path, units="nm")


@pytest.mark.parametrize(
    ("unit", "factor"), [("nm", 1.0), ("pm", 1e-3), ("\\u00B5m", 1e3), ("Angstrom", 0.1)]
)
def test_imagej_units(tmp_path: Path, unit: str, factor: float) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, GREY, imagej=True, resolution=(50.0, 50.0), metadata={"unit": unit})
    check(read(path), GREY, factor / 50, "nm")
    check(read(path, units="px"), GREY)
    check(read(path, units="pm"), GREY, 1e-3 / 50, "nm")
    check(read(path, pixel_size=2), GREY, 2, "nm")


def test_ome_and_digital_micrograph_tags(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    size = {
        "PhysicalSizeX": 12.7,
        "PhysicalSizeXUnit": "pm",
        "PhysicalSizeY": 12.7,
        "PhysicalSizeYUnit": "pm",
    }
    tifffile.imwrite(path, GREY, metadata={"axes": "YX", **size})
    check(read(path), GREY, 0.0127, "nm")
    path = tmp_path / "dm.tif"
    tags = [(65003, "s", 0, "nm", True), (65004, "s", 0, "nm", True)]
    tags += [(65009, "d", 1, 0.0127, True), (65010, "d", 1, 0.0127, True)]
    tifffile.imwrite(path, GREY, extratags=tags, metadata=None)
    check(read(path), GREY, 0.0127, "nm")


def test_tiff_stacks_and_colours_ask_for_a_choice(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    stack = RNG.integers(0, 99, (3, 16, 17)).astype(np.uint8)
    tifffile.imwrite(path, stack, photometric="minisblack")
    with pytest.raises(
        ValueError, match=r"`frame` must be given for a stack of 3 images: frame=0 to frame=2\.$"
    ):
        read(path)
    check(read(path, frame=2), stack[2])
    check(read(path, frame=-1), stack[2])
    with pytest.raises(ValueError, match="`frame` must be between 0 and 2, got 3"):
        read(path, frame=3)
    colour = np.moveaxis(stack, 0, -1)
    tifffile.imwrite(path, colour, photometric="rgb")
    with pytest.raises(ValueError, match=r"`channel` must be given for an image of 3 channels"):
        read(path)
    check(read(path, channel=1), stack[1])
    tifffile.imwrite(path, np.stack([GREY] * 3, -1), photometric="rgb")
    check(read(path), GREY)
    hyper = RNG.integers(0, 99, (2, 3, 16, 17)).astype(np.uint8)
    tifffile.imwrite(path, hyper, imagej=True, metadata={"axes": "TZYX"})
    with pytest.raises(ValueError, match=r"a stack of 2 x 3 images: .* frame=\(0, 0\)"):
        read(path)
    check(read(path, frame=(1, 2)), hyper[1, 2])


def test_tiff_with_white_as_zero_is_read_as_it_looks(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, 65535 - GREY, photometric="miniswhite")
    check(read(path), GREY)


@pytest.mark.parametrize("mode", ["L", "LA", "I;16", "RGB", "RGBA", "P", "1"])
def test_png_in_any_mode(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "a.png"
    byte = (GREY % 256).astype(np.uint8)
    if mode == "I;16":
        Image.fromarray(GREY).save(path)
        check(read(path), GREY)
        return
    picture = Image.fromarray(byte).convert(mode)
    picture.save(path, dpi=(300, 300))
    check(read(path), np.asarray(picture) if mode == "1" else byte)


def test_colour_png_asks_for_a_channel(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    colour = RNG.integers(0, 255, (16, 17, 3)).astype(np.uint8)
    Image.fromarray(colour).save(path)
    with pytest.raises(ValueError, match="channel=0 to channel=2"):
        read(path)
    check(read(path, channel=2), colour[..., 2])
    with pytest.raises(ValueError, match="`frame` must be left out"):
        read(path, frame=1, channel=2)
    with pytest.raises(ValueError, match="`channel` must be a number"):
        read(path, channel="red")


def test_animations_are_stacks(tmp_path: Path) -> None:
    frames = [(GREY % (250 - n)).astype(np.uint8) for n in range(3)]
    pictures = [Image.fromarray(frame) for frame in frames]
    pictures[0].save(tmp_path / "a.gif", save_all=True, append_images=pictures[1:])
    with pytest.raises(ValueError, match="frame=0 to frame=2"):
        read(tmp_path / "a.gif")
    check(read(tmp_path / "a.gif", frame=1), frames[1])


def test_values_that_float32_cannot_hold_lose_their_offset(tmp_path: Path) -> None:
    values = GREY.astype(np.float64) + 1e10
    np.save(tmp_path / "a.npy", values)
    image = read(tmp_path / "a.npy")
    check(image, values - values.min())
    assert image.attrs["intensity_offset"] == values.min()
    image = to_dataarray(GREY.astype(np.int64) + 2**40)
    check(image, GREY - GREY.min())


def corrupt(kind: str) -> bytes:
    buffer = io.BytesIO()
    if kind == "npy":
        np.save(buffer, GREY)
    elif kind == "npz":
        np.savez(buffer, image=GREY)
    elif kind == "tif":
        tifffile.imwrite(buffer, GREY)
    else:
        Image.fromarray((GREY % 256).astype(np.uint8)).save(buffer, format=kind)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["npy", "npz", "tif", "png", "jpeg"])
@pytest.mark.parametrize("how", ["cut", "start", "rubbish", "text"])
def test_bad_files_are_told_in_one_sentence(tmp_path: Path, kind: str, how: str) -> None:
    whole = corrupt(kind)
    rubbish = np.random.default_rng(3).bytes(200)
    content = {"cut": whole[: len(whole) // 2], "start": whole[:7], "rubbish": rubbish, "text": b"hello\n"}[
        how
    ]
    path = tmp_path / f"bad.{kind}"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"^Cannot read 'bad\.") as error:
        read(path)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("kind", ["dm3", "dm4", "emd", "mrc", "ser", "hspy"])
def test_bad_files_of_microscopes(tmp_path: Path, kind: str) -> None:
    pytest.importorskip("rsciio", reason="RosettaSciIO is not installed")
    path = tmp_path / f"bad.{kind}"
    path.write_bytes(np.random.default_rng(3).bytes(3000))
    with pytest.raises((ValueError, ImportError), match=rf"bad\.{kind}|RosettaSciIO"):
        read(path)


def test_files_that_are_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"must be a file that exists, got '.*none\.npy'"):
        read(tmp_path / "none.npy")
    with pytest.raises(IsADirectoryError, match="got the directory"):
        read(tmp_path)
    (tmp_path / "empty.tif").touch()
    with pytest.raises(ValueError, match="the empty file"):
        read(tmp_path / "empty.tif")
    (tmp_path / "a.docx").write_text("x")
    with pytest.raises(ValueError, match=r"kind is unknown; known are .*\.dm3.*\.npy"):
        read(tmp_path / "a.docx")
    assert known_extensions() == sorted(known_extensions())


def test_without_rosettasciio_the_error_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "rsciio", None)
    monkeypatch.setitem(sys.modules, "rsciio.digitalmicrograph", None)
    (tmp_path / "a.dm3").write_bytes(b"x")
    with pytest.raises(ImportError, match=r'pip install "atomotif\[formats\]"'):
        read(tmp_path / "a.dm3")


def test_the_core_does_not_import_rosettasciio() -> None:
    code = "import sys, atomotif.io.readers; sys.exit('rsciio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_an_mrc_file_written_by_its_specification(tmp_path: Path) -> None:
    pytest.importorskip("rsciio", reason="RosettaSciIO is not installed")
    values = GREY.astype(np.float32)
    header = bytearray(1024)
    struct.pack_into("<4i", header, 0, 17, 16, 1, 2)  # columns, rows, sections, float32
    struct.pack_into("<3i", header, 28, 17, 16, 1)
    struct.pack_into("<3f", header, 40, 17 * 0.127, 16 * 0.127, 1.0)  # the cell, Angstrom
    struct.pack_into("<3i", header, 64, 1, 2, 3)
    header[208:216] = b"MAP DD\0\0"
    path = tmp_path / "a.mrc"
    path.write_bytes(bytes(header) + values.tobytes())
    check(read(path), values, 0.0127, "nm")


def fake_format(monkeypatch: pytest.MonkeyPatch, *signals: dict[str, Any]) -> None:
    module = SimpleNamespace(file_reader=lambda path: list(signals))
    monkeypatch.setattr("atomotif.io._formats.format_reader", lambda extension: module)


def axis(name: str, size: int, scale: float = 1.0, units: str = "", navigate: bool = False) -> dict[str, Any]:
    return {"name": name, "size": size, "scale": scale, "offset": 0.0, "units": units, "navigate": navigate}


def signal(data: np.ndarray, *axes: dict[str, Any], title: str = "") -> dict[str, Any]:
    numbered = [entry | {"index_in_array": index} for index, entry in enumerate(axes)]
    return {"data": data, "axes": numbered, "metadata": {"General": {"title": title}}}


def test_signals_of_microscopes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.emd"
    path.write_bytes(b"x")
    y, x = axis("y", 16, 12.7, "pm"), axis("x", 17, 12.7, "pm")
    fake_format(monkeypatch, signal(GREY, y, x, title="HAADF"))
    image = read(path)
    check(image, GREY, 0.0127, "nm")
    assert image.attrs["title"] == "HAADF"

    fake_format(monkeypatch, signal(GREY, y, x, title="HAADF"), signal(GREY + 1, y, x, title="BF"))
    with pytest.raises(ValueError, match=r"one of the 2 images.* 0 = 'HAADF', 1 = 'BF'"):
        read(path)
    check(read(path, channel="BF"), GREY + 1, 0.0127, "nm")
    check(read(path, channel=0), GREY, 0.0127, "nm")

    stack = np.stack([GREY, GREY + 1])
    fake_format(monkeypatch, signal(stack, axis("t", 2, 1, "s", navigate=True), y, x))
    with pytest.raises(ValueError, match="frame=0 to frame=1"):
        read(path)
    check(read(path, frame=1), GREY + 1, 0.0127, "nm")

    reciprocal = axis("ky", 16, 0.1, "1/nm"), axis("kx", 17, 0.1, "1/nm")
    fake_format(monkeypatch, signal(GREY, *reciprocal))
    with pytest.raises(ValueError, match="reciprocal space, not an image"):
        read(path)
    fake_format(monkeypatch, signal(GREY, y, axis("x", 17, 25.4, "pm")))
    with pytest.raises(
        ValueError, match=r"square within 0\.5 %, got 0\.0127 nm .* by 0\.0254 nm .*factor of 2"
    ):
        read(path)
    check(read(path, pixel_size=0.1), GREY, 0.1, "nm")
    fake_format(monkeypatch, signal(GREY, y, axis("x", 17, 12.72, "pm")))
    check(read(path), GREY, np.sqrt(12.7 * 12.72) / 1000, "nm")


def hyperspy(data: np.ndarray, navigation: list[Any], signal_axes: list[Any]) -> Any:
    manager = SimpleNamespace(navigation_axes=tuple(navigation[::-1]), signal_axes=tuple(signal_axes[::-1]))
    general = SimpleNamespace(title="a title")
    return SimpleNamespace(data=data, axes_manager=manager, metadata=SimpleNamespace(General=general))


def test_hyperspy_signals_by_duck_typing() -> None:
    def make(index: int, scale: float, units: str, navigate: bool = False) -> Any:
        return SimpleNamespace(
            name="tyx"[index + 1], index_in_array=index, scale=scale, units=units, navigate=navigate
        )

    image = to_dataarray(hyperspy(GREY, [], [make(0, 0.127, "Å"), make(1, 0.127, "Å")]))
    check(image, GREY, 0.0127, "nm")
    assert image.attrs["title"] == "a title"
    check(to_dataarray(hyperspy(GREY, [], [make(0, 1.0, "<undefined>"), make(1, 1.0, "<undefined>")])), GREY)
    stack = np.stack([GREY, GREY + 1])
    time = SimpleNamespace(name="t", index_in_array=0, scale=1.0, units="s", navigate=True)
    axes = [SimpleNamespace(name=n, index_in_array=i, scale=2.0, units="nm") for i, n in ((1, "y"), (2, "x"))]
    with pytest.raises(ValueError, match="`frame` must be given"):
        to_dataarray(hyperspy(stack, [time], axes))
    check(to_dataarray(hyperspy(stack, [time], axes), frame=1), GREY + 1, 2.0, "nm")


def test_of_a_dataset_its_intensity_is_the_image() -> None:
    plain = xr.DataArray(np.eye(8, dtype=np.float32), dims=("y", "x"))
    sample = xr.Dataset(
        {"row": ("point", [1.0]), "intensity": plain}, attrs={"pixel_size": 0.02, "units": "nm"}
    )
    image = to_dataarray(sample)
    np.testing.assert_array_equal(image.values, plain.values)
    assert (image.attrs["pixel_size"], image.attrs["units"]) == (0.02, "nm")
    with pytest.raises(ValueError, match=r"`image` must have a variable 'intensity' .* got \['row'\]"):
        to_dataarray(sample[["row"]])


def test_dataarrays_bring_their_coordinates() -> None:
    values = GREY.astype(np.float32)
    coords = {"y": 5 + np.arange(16) * 0.02, "x": np.arange(17) * 0.02}
    array = xr.DataArray(values, dims=("y", "x"), coords=coords, attrs={"units": "nm", "material": "MoS2"})
    image = to_dataarray(array)
    check(image, GREY, 0.02, "nm")
    assert image.attrs["material"] == "MoS2"
    check(to_dataarray(array[::2, ::2]), GREY[::2, ::2], 0.04, "nm")
    check(to_dataarray(array.transpose("x", "y")), GREY, 0.02, "nm")
    check(to_dataarray(array.drop_vars(["y", "x"]).assign_attrs(pixel_size=0.3)), GREY, 0.3, "nm")
    check(to_dataarray(xr.DataArray(values)), GREY)
    check(to_dataarray(array, pixel_size="1 Å"), GREY, 0.1, "nm")
    check(to_dataarray(image), GREY, 0.02, "nm")
    uneven = array.assign_coords(x=np.arange(17.0) ** 2)
    with pytest.raises(ValueError, match="uniform coordinates along 'x'"):
        to_dataarray(uneven)


def test_the_image_given_is_not_changed_nor_shared() -> None:
    array = xr.DataArray(GREY.astype(np.float32), dims=("y", "x"), attrs={"a": 1})
    image = to_dataarray(array, pixel_size=2)
    assert array.attrs == {"a": 1}
    assert not array.coords
    image.attrs["a"] = 2
    assert array.attrs == {"a": 1}


@pytest.mark.parametrize(
    ("bad", "error", "words"),
    [
        (np.full((9, 9), np.nan), ValueError, "finite"),
        (np.ma.masked_less(np.arange(81.0).reshape(9, 9), 3), ValueError, "masked values, got 3"),
        (np.zeros((9, 9), complex), TypeError, "real numbers"),
        (np.zeros((9, 9), "U1"), TypeError, "real numbers"),
        (np.zeros((3, 9)), ValueError, "at least 8 x 8"),
        (np.zeros(9), ValueError, "two axes"),
        (np.float64(1), ValueError, "two axes"),
        (np.full((9, 9), 1e300), ValueError, "finite"),
        ([[1, 2], [3]], ValueError, "rows of equal length"),
        (None, ValueError, "`image` must have two axes"),
        (np.zeros((4, 9, 9)), ValueError, "frame=0 to frame=3"),
        ("a.npy", TypeError, "atomotif.read"),
        (Path("a.npy"), TypeError, "atomotif.read"),
    ],
)
def test_what_is_no_image_is_refused(bad: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        to_dataarray(bad)


def test_read_only_and_strided_arrays_work() -> None:
    array = np.broadcast_to(np.arange(20.0), (16, 20))[::2, ::-2]
    check(to_dataarray(array), np.array(array))


def test_a_real_dm3(shared: Path) -> None:
    pytest.importorskip("rsciio", reason="RosettaSciIO is not installed")
    from atomotif.datasets import mos2_se

    try:
        image = mos2_se()
    except OSError as error:
        pytest.skip(f"the DM3 file cannot be had here: {error}")
    reference = np.load(shared / "data/mos2_se_implanted/image.npy").astype(float)
    values = image.values.astype(float)
    scaled = (values - values.min()) / np.ptp(values) * 65535
    assert np.abs(scaled - reference).max() <= 1
    assert image.attrs["pixel_size"] == 0.0126953125


def test_a_zip_that_is_no_npz(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(ValueError, match=r"^Cannot read 'a\.npz'"):
        read(tmp_path / "a.npz")


def test_a_png_header_that_promises_too_much(tmp_path: Path) -> None:
    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"0"))
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(ValueError, match="too many pixels"):
        read(tmp_path / "a.png")
