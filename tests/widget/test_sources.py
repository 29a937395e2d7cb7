import pytest
from bokeh.resources import INLINE

from atomotif.widget import sources


def test_script_has_no_imports_left():
    text = sources.script("report")
    assert "\nimport " not in text
    assert "\nexport " not in text


def test_script_keeps_the_exports_of_its_entry_for_a_host_that_imports_it():
    assert "export async function mount" in sources.script("workbench")
    assert "export function localSelection" not in sources.script("report")


def test_each_module_is_there_once_and_before_its_use():
    text = sources.script("report")
    for module in ("link", "link_tree", "figure_view", "panels", "workbench"):
        assert text.count(f"const ${module} = (() =>") == 1
        assert text.index(f"const ${module} = (() =>") < text.index(f"= ${module};")


@pytest.mark.parametrize("module", ["link", "link_tree", "panels", "workbench"])
def test_every_export_is_handed_on(module):
    text = sources.script("report")
    start = text.index(f"const ${module} = (() =>")
    returned = text[text.index("\nreturn {", start) :].split("}")[0].removeprefix("\nreturn {")
    source = sources._read(f"{module}.js")
    exported = [
        line.split("(")[0].split("=")[0].split()[-1]
        for line in source.splitlines()
        if line.startswith("export ")
    ]
    assert [name.strip() for name in returned.split(",")] == exported


def test_bokehjs_is_that_of_the_installed_wheel_without_webgl():
    assert sources.bokehjs() == INLINE.js_raw[0]


def test_stylesheet_loads_nothing():
    assert "url(" not in sources.stylesheet()
    assert "@import" not in sources.stylesheet()
