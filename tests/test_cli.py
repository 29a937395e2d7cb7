"""The shell, as a user types it."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from atomotif import datasets
from atomotif.cli import main


@pytest.fixture(scope="module")
def images(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("images")
    image = datasets.mose2_vacancies().values
    paths = [folder / "a.npy", folder / "b.npy"]
    np.save(paths[0], image[:300, :300])
    np.save(paths[1], image[-300:, -300:])
    return paths


def test_run_writes_all_that_is_asked_for(
    images: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report, saved, table = tmp_path / "r.html", tmp_path / "s.zarr", tmp_path / "c.csv"
    arguments = ["--pixel-size", "0.011nm", "--out", str(report), "--save", str(saved), "--table", str(table)]
    assert main(["run", str(images[0]), *arguments, "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert result["pixel_size"] == pytest.approx(0.011)
    assert result["units"] == "nm"
    assert report.stat().st_size > 100_000
    with table.open() as file:
        rows = list(csv.reader(file))
    assert rows[0][0] == "image"
    assert len(rows) - 1 == result["columns"]
    assert rows[0][2:4] == ["y (nm)", "x (nm)"]
    assert main(["open", str(saved), "--no-browser", "--out", str(tmp_path / "o.html")]) == 0
    assert f"{result['columns']} columns" in capsys.readouterr().out


def test_many_images_make_one_table(
    images: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, folder = tmp_path / "c.csv", tmp_path / "reports"
    assert main(["run", *map(str, images), "--table", str(table), "--out", str(folder)]) == 0
    with table.open() as file:
        assert {row["image"] for row in csv.DictReader(file)} == set(map(str, images))
    assert {path.name for path in folder.iterdir()} == {"a.html", "b.html"}
    assert "MotifSession: a.npy" in capsys.readouterr().out


def test_a_continuous_sample_has_anchors_instead_of_motifs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    image, table, saved = tmp_path / "moire.npy", tmp_path / "c.csv", tmp_path / "s.zarr"
    np.save(image, datasets.simulate.twisted_bilayer(angle=6, shape=(500, 500))["intensity"].values)
    arguments = [str(image), "--pixel-size", "0.0122nm", "--table", str(table), "--save", str(saved)]
    assert main(["run", *arguments, "--json"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert "motifs" not in result
    assert set(result["anchors"]) == {"AA'", "AB'", "A'B"}
    assert result["moire"]["twist_angle"] == pytest.approx(6, abs=0.05)
    with table.open() as file:
        assert {row["motif"] for row in csv.DictReader(file)} <= {"AA'", "AB'", "A'B", ""}
    assert main(["run", *arguments]) == 0
    assert "clusters would mislead" in capsys.readouterr().out
    assert main(["open", str(saved), "--no-browser", "--out", str(tmp_path / "o.html")]) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["nothing.dm4"],
        ["{image}", "--pixel-size", "3 parsec"],
        ["{image}", "--patch-size", "-4"],
        ["{constant}"],
        ["{image}", "--out", "{image}"],
        ["{image}", "--table", "{image}"],
        ["{image}", "--save", "{image}"],
    ],
)
def test_bad_input_is_one_line_and_exit_2(
    arguments: list[str], images: list[Path], capsys: pytest.CaptureFixture[str]
) -> None:
    constant = images[0].with_name("constant.npy")
    np.save(constant, np.ones((64, 64)))
    assert main(["run", *(a.format(image=images[0], constant=constant) for a in arguments)]) == 2
    assert np.load(images[0]).shape == (300, 300)
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith("atomotif: ")
    assert streams.err.count("\n") == 1


def test_one_bad_image_does_not_cost_the_others(
    images: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    constant = tmp_path / "constant.npy"
    np.save(constant, np.ones((64, 64)))
    table = tmp_path / "c.csv"
    assert main(["run", str(constant), str(images[0]), "--table", str(table), "--json"]) == 2
    streams = capsys.readouterr()
    assert [result["image"] for result in json.loads(streams.out)] == [str(images[0])]
    assert streams.err.count("\n") == 1
    assert "constant.npy" in streams.err
    with table.open() as file:
        assert {row["image"] for row in csv.DictReader(file)} == {str(images[0])}


def test_images_of_one_name_are_written_apart(images: list[Path], tmp_path: Path) -> None:
    twin = tmp_path / images[0].name
    np.save(twin, np.load(images[0]))
    reports = tmp_path / "reports"
    assert main(["run", str(images[0]), str(twin), "--out", str(reports)]) == 0
    assert {path.name for path in reports.iterdir()} == {"a.html", "a-2.html"}


def test_several_images_do_not_go_into_one_report(
    images: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", *map(str, images), "--out", str(tmp_path / "r.html")]) == 2
    assert "a folder must be given" in capsys.readouterr().err


def test_debug_shows_where_an_error_comes_from() -> None:
    with pytest.raises(FileNotFoundError):
        main(["--debug", "run", "nothing.dm4"])


def test_bad_usage_is_exit_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "atomotif", "run"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "IMAGE" in done.stderr


def test_demo_falls_back_on_the_bundled_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def no_network() -> None:
        raise OSError("no network")

    monkeypatch.setattr(datasets, "mos2_se", no_network)
    assert main(["demo", "--folder", str(tmp_path / "demo")]) == 0
    streams = capsys.readouterr()
    assert "using the bundled STM image instead" in streams.err
    assert "Si(111)" in streams.out
    assert (tmp_path / "demo" / "report.html").exists()
    assert (tmp_path / "demo" / "session.zarr").exists()
