"""What Binder does, in its order: install what `binder/` asks for, `postBuild`, open the first notebook."""

import os
import resource
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
MEMORY = 2 * 2**30  # bytes that a session of the public Binder may use


def limited() -> None:
    """Limit what a process and its children may allocate."""
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """A copy of what git has, and nothing else."""
    folder = tmp_path_factory.mktemp("repository")
    names = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            target = folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
            target.chmod((ROOT / name).stat().st_mode)
    return folder


@pytest.fixture(scope="module")
def environment(repository, tmp_path_factory):
    """A fresh virtual environment in which Binder's steps have been made: variables that use it."""
    venv = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(venv)], check=True)
    install = [sys.executable, "-m", "pip", "--python", str(venv / "bin/python"), "install", "--quiet"]
    subprocess.run([*install, "-r", "binder/requirements.txt"], cwd=repository, check=True)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    variables |= {"PATH": f"{venv / 'bin'}:{os.environ['PATH']}", "VIRTUAL_ENV": str(venv)}
    subprocess.run(["./binder/postBuild"], cwd=repository, env=variables, check=True)
    return variables


def test_what_repo2docker_reads_is_there():
    assert (ROOT / "binder/requirements.txt").read_text().split("\n")[-2] == ".[lab,formats]"
    assert os.access(ROOT / "binder/postBuild", os.X_OK)
    assert (ROOT / "binder/runtime.txt").read_text().strip() == "python-3.12"


def test_the_first_notebook_runs_in_little_memory(repository, environment):
    name = "notebooks/01_first_motifs.ipynb"
    command = ["jupyter", "nbconvert", "--to", "notebook", "--execute", "--output", "done", name]
    ran = subprocess.run(
        command, cwd=repository, env=environment, preexec_fn=limited, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    done = nbformat.read(repository / "notebooks/done.ipynb", as_version=4)
    assert len([c for c in done.cells if c.cell_type == "code" and c.execution_count]) > 5


def test_the_limit_of_memory_bites(environment):
    allocate = "import numpy; numpy.ones(2**28)"  # as many bytes as the limit allows in all
    ran = subprocess.run(
        ["python", "-c", allocate], env=environment, preexec_fn=limited, capture_output=True, text=True
    )
    assert "MemoryError" in ran.stderr


def test_the_lab_and_its_widgets_are_installed(environment):
    said = subprocess.run(
        ["jupyter", "labextension", "list"], env=environment, check=True, capture_output=True, text=True
    )
    listed = said.stdout + said.stderr
    assert "anywidget" in listed
    assert "@jupyter-widgets/jupyterlab-manager" in listed
