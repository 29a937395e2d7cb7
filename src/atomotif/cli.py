"""The shell: `atomotif run`, `atomotif demo`, `atomotif open`."""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from atomotif._version import __version__

if TYPE_CHECKING:
    from atomotif.session.session import MotifSession

DONE, BAD_USAGE, INTERRUPTED = 0, 2, 130
#: What bad input raises.
BAD_INPUT = (OSError, ValueError, TypeError, ImportError)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        0 when done, 2 for bad usage or bad input, with one line on standard error.
    """
    options = _parser().parse_args(arguments)
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_, **__: _say(f"note: {message}")
        try:
            return int(options.function(options))
        except KeyboardInterrupt:
            _say("interrupted")
            return INTERRUPTED
        except BAD_INPUT as error:
            if options.debug:
                raise
            _say(str(error))
            return BAD_USAGE


def _say(message: str) -> None:
    """Print one line on standard error."""
    print(f"atomotif: {' '.join(message.split())}", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="atomotif", description="Find atomic motifs in atomic-resolution micrographs."
    )
    parser.add_argument("--version", action="version", version=f"atomotif {__version__}")
    parser.add_argument("--debug", action="store_true", help="show where an error comes from")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="analyse micrographs", description="Analyse micrographs.")
    run.add_argument("images", nargs="+", type=Path, metavar="IMAGE", help="micrograph (DM4, TIFF, npy, ...)")
    run.add_argument("--pixel-size", metavar="LENGTH", help="such as 0.0127nm; overrides the file's")
    run.add_argument("--frame", type=int, help="which frame of a stack")
    run.add_argument("--channel", type=_number_or_text, help="which channel of a colour image, or title")
    run.add_argument("--key", help="which array of an .npz file")
    run.add_argument("--patch-size", type=float, metavar="PX", help="diameter of the patches, px")
    run.add_argument("--contrast", choices=("bright", "dark", "auto"), help="of the columns")
    run.add_argument("--min-prominence", type=float, metavar="SIGMA", help="lower finds dimmer columns")
    run.add_argument(
        "--rotation-invariant",
        action=argparse.BooleanOptionalAction,
        help="whether patches that differ by a rotation are alike (they are by default)",
    )
    run.add_argument("--n-motifs", type=int, metavar="K", help="ask for exactly K motifs")
    run.add_argument("--detail", type=float, help="above 1: smaller differences make a motif")
    run.add_argument("--random-state", type=int, metavar="SEED")
    run.add_argument(
        "--out", type=Path, metavar="REPORT.html", help="linked report; a folder for several images"
    )
    run.add_argument("--save", type=Path, metavar="SESSION.zarr", help="session; a folder for several images")
    run.add_argument("--table", type=Path, metavar="COLUMNS.csv", help="one table of all columns")
    run.add_argument("--json", action="store_true", help="print the result as JSON")
    run.set_defaults(function=_run)

    demo = commands.add_parser("demo", help="analyse a real micrograph", description=_demo.__doc__)
    demo.add_argument("--folder", type=Path, default=Path("demo"), help="where to write (default: demo)")
    demo.set_defaults(function=_demo)

    opening = commands.add_parser("open", help="look at a saved session", description=_open.__doc__)
    opening.add_argument("session", type=Path, metavar="SESSION.zarr")
    opening.add_argument("--out", type=Path, metavar="REPORT.html", help="by default SESSION.report.html")
    opening.add_argument("--no-browser", action="store_true", help="do not open the report in a browser")
    opening.set_defaults(function=_open)
    return parser


def _number_or_text(text: str) -> int | str:
    return int(text) if text.isdecimal() else text


def _run(options: argparse.Namespace) -> int:
    from atomotif.export.tables import write_csv
    from atomotif.session.session import MotifSession

    names = (
        "patch_size",
        "contrast",
        "min_prominence",
        "rotation_invariant",
        "n_motifs",
        "detail",
        "random_state",
    )
    parameters = {name: getattr(options, name) for name in names if getattr(options, name) is not None}
    reports = _targets(options.images, options.out, ".html")
    saves = _targets(options.images, options.save, ".zarr")
    if options.table is not None:
        _checked(options.table, ".csv")
    results, tables = [], {}
    for image, report, save in zip(options.images, reports, saves, strict=True):
        try:
            session = MotifSession.from_file(
                image,
                pixel_size=options.pixel_size,
                frame=options.frame,
                channel=options.channel,
                key=options.key,
            )
            start = time.perf_counter()
            session.run(**parameters)
            seconds = time.perf_counter() - start
            written = {}
            if report is not None:
                written["report"] = str(session.to_html(report))
            if save is not None:
                save.parent.mkdir(parents=True, exist_ok=True)
                written["session"] = str(session.save(save))
        except BAD_INPUT as error:
            if options.debug:
                raise
            _say(str(error) if image.name in str(error) else f"{image}: {error}")
            continue
        results.append(_result(session, image, seconds, written))
        if options.table is not None:
            tables[str(image)] = session.columns
        if not options.json:
            print(_summary(session, seconds))
            for path in written.values():
                print(f"  wrote     {path}")
    if tables:
        options.table.parent.mkdir(parents=True, exist_ok=True)
        write_csv(tables, options.table)
        if not options.json:
            print(f"wrote {options.table}")
    if options.json and results:
        print(json.dumps(results, indent=1))
    return DONE if len(results) == len(options.images) else BAD_USAGE


def _checked(target: Path, suffix: str) -> Path:
    """Return the file if its name has the ending of what is written; no micrograph is overwritten so."""
    if target.suffix != suffix:
        raise ValueError(f"the name must end in {suffix}, got {str(target)!r}.")
    return target


def _targets(images: Sequence[Path], target: Path | None, suffix: str) -> list[Path | None]:
    """Return where to write for each image: `target`, or below it as a folder if there are several."""
    if target is None:
        return [None] * len(images)
    if len(images) == 1 and not (suffix == ".html" and target.is_dir()):
        return [_checked(target, suffix)]
    if target.suffix == suffix:
        raise ValueError(f"with several images a folder must be given, got {str(target)!r}.")
    # Images of the same name, from several folders or in several formats, are told apart by a number.
    stems: dict[str, int] = {}
    paths: list[Path | None] = []
    for image in images:
        number = stems[image.stem] = stems.get(image.stem, 0) + 1
        paths.append(target / f"{image.stem}{'' if number == 1 else f'-{number}'}{suffix}")
    return paths


def _result(session: MotifSession, image: Path, seconds: float, written: dict[str, str]) -> dict[str, Any]:
    groups = session.data.children
    attrs = groups["image"].attrs
    found: dict[str, Any] = {}
    if "motifs" in groups:
        found["motifs"] = session.motifs.counts
    if "anchors" in groups:
        found["anchors"] = session.anchors.counts
    if "moire" in groups:
        found["moire"] = {
            name: groups["moire"].attrs[name]
            for name in ("twist_angle", "twist_error", "period", "period_error")
        }
    return {
        "image": str(image),
        "pixel_size": attrs["pixel_size"],
        "units": attrs["units"],
        "columns": int(session.data["points"].sizes["point"]),
        **found,
        "patch_size_px": session.data["features"].attrs["patch_size"],
        "seconds": round(seconds, 3),
        **written,
    }


def _summary(session: MotifSession, seconds: float) -> str:
    steps = ", ".join(f"{verb} {taken:.2f}" for verb, taken in session.timings.items())
    lines = [repr(session), f"  seconds   {seconds:.2f} ({steps})"]
    peak = _peak_memory()
    if peak is not None:
        lines.append(f"  memory    {peak:.0f} MB at most")
    return "\n".join(lines)


def _peak_memory() -> float | None:
    """Return the most memory that the process has held, MB; None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return float(peak / 1e6 if sys.platform == "darwin" else peak / 1e3)


def _demo(options: argparse.Namespace) -> int:
    """Find the motifs of a real micrograph, and write a report and a session."""
    from atomotif import datasets
    from atomotif.session.progress import Lines, Terminal
    from atomotif.session.session import MotifSession

    progress = Terminal() if sys.stderr.isatty() else Lines(sys.stdout)
    try:
        # The calibration in the file is about 5 % off; the lattice constant of MoS2 is known.
        measured = datasets.mos2_se()
        image = datasets.calibrate(measured, 0.3160)
        before, after = (float(one.attrs["pixel_size"]) for one in (measured, image))
        print(f"pixel size {after:.5f} nm by the lattice constant of MoS2; the file says {before:.5f} nm")
        title = "Se-implanted monolayer MoS2 (real ADF-STEM)"
    except BAD_INPUT as error:
        _say(f"note: {error}")
        _say("note: using the bundled STM image instead")
        image = datasets.si111_7x7()
        title = "Si(111)-(7x7) with adatom vacancies (real STM)"
    session = MotifSession(image, title=title, progress=progress)
    start = time.perf_counter()
    session.run()
    seconds = time.perf_counter() - start
    options.folder.mkdir(parents=True, exist_ok=True)
    report = session.to_html(options.folder / "report.html")
    saved = session.save(options.folder / "session.zarr")
    print(_summary(session, seconds))
    print(
        f"\nLook further:\n"
        f"  {report}  linked views, for any browser\n"
        f"  {sys.argv[0]} open {saved}\n"
        f"  >>> import atomotif as am; session = am.MotifSession.open({str(saved)!r})"
    )
    return DONE


def _open(options: argparse.Namespace) -> int:
    """Print what a saved session holds and open its report in a browser."""
    from atomotif.session.session import MotifSession

    session = MotifSession.open(options.session)
    print(session)
    report = session.to_html(options.out or options.session.with_suffix(".report.html"))
    print(f"  report    {report}")
    if not options.no_browser:
        webbrowser.open(report.resolve().as_uri())
    return DONE


if __name__ == "__main__":
    sys.exit(main())
