import base64
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from atomotif._version import __version__
from atomotif.export.html import to_html

HOSTILE = "\"'></script><script>alert(1)</script><img src=x onerror=alert(2)><!--<script>\u2028"


class Elements(HTMLParser):
    """Every element that a browser would make, with its attributes and, for scripts, its text."""

    def __init__(self, text):
        super().__init__()
        self.found, self.scripts, self.text = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag == "script":
            self.scripts.append("")

    def handle_data(self, data):
        if self.cdata_elem == "script":
            self.scripts[-1] += data
        else:
            self.text.append(data)


def content(text):
    return json.loads(Elements(text).scripts[1])


def test_page_is_written_where_asked_and_nowhere_else(make_data, tmp_path):
    path = to_html(make_data(), str(tmp_path / "report.html"))
    assert path == tmp_path / "report.html"
    assert list(tmp_path.iterdir()) == [path]
    assert to_html(make_data(), path).read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_same_data_make_the_same_page_but_for_bokehs_ids(make_data, tmp_path):
    first, second = (content(to_html(make_data(), tmp_path / "r.html").read_text("utf-8")) for _ in range(2))
    assert first["packed"] == second["packed"]
    assert first["facts"] == second["facts"]


def test_nothing_in_the_page_is_loaded_from_elsewhere(make_data, tmp_path):
    page = Elements(to_html(make_data(), tmp_path / "r.html").read_text("utf-8"))
    assert {tag for tag, _ in page.found}.isdisjoint({"link", "img", "iframe", "object", "embed", "base"})
    assert all(not {"src", "href"} & set(attrs) for _, attrs in page.found)


def test_policy_allows_only_the_two_scripts_of_the_page(make_data, tmp_path):
    page = Elements(to_html(make_data(), tmp_path / "r.html").read_text("utf-8"))
    policy = next(attrs["content"] for _, attrs in page.found if "http-equiv" in attrs)
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe-eval" not in policy
    assert len(re.findall(r"'sha256-", policy)) == 2
    assert len(page.scripts) == 3  # the third is JSON, which does not run


def test_columns_come_back_bit_for_bit(make_data, tmp_path):
    data = make_data()
    packed = content(to_html(data, tmp_path / "r.html").read_text("utf-8"))["packed"]

    def column(name):
        entry = packed[name]
        return np.frombuffer(base64.b64decode(entry["data"]), entry["dtype"]).reshape(entry["shape"])

    np.testing.assert_array_equal(column("id"), data["points"]["id"].values)
    np.testing.assert_array_equal(column("x"), data["points"]["x"].values.astype("f4"))
    np.testing.assert_array_equal(column("u"), data["layout"]["position"].values[:, 0])
    np.testing.assert_array_equal(column("label"), data["motifs"]["label"].values)
    assert column("image").shape == (200, 200)
    assert column("averages").shape == (3, 7, 7)


@pytest.mark.parametrize("where", ["title", "names", "source", "detail"])
def test_what_a_user_typed_is_text_and_never_markup(make_data, tmp_path, where):
    changes = {
        "names": {"names": (HOSTILE, "b", "c")},
        "source": {"source": HOSTILE},
        "detail": {"detail": HOSTILE},
    }
    data = make_data(**changes.get(where, {}))
    title = HOSTILE if where == "title" else None
    plain = Elements(to_html(make_data(), tmp_path / "plain.html").read_text("utf-8"))
    text = to_html(data, tmp_path / "r.html", title=title).read_text("utf-8")
    page = Elements(text)
    assert [tag for tag, _ in page.found if tag != "li"] == [tag for tag, _ in plain.found if tag != "li"]
    assert len(page.scripts) == 3
    if where == "names":
        assert content(text)["facts"]["motifs"][0]["name"] == HOSTILE
    else:
        shown = json.dumps(HOSTILE, ensure_ascii=False) if where == "detail" else HOSTILE.split("/")[-1]
        assert shown in "".join(page.text) or HOSTILE in "".join(page.text)


def test_header_tells_what_was_made_and_how(make_data, tmp_path):
    text = "".join(
        Elements(to_html(make_data(), tmp_path / "r.html", title="My field").read_text("utf-8")).text
    )
    for part in (
        "My field",
        "field.dm4",
        "200 × 200 px",
        "0.0125 nm",
        "400 columns",
        "3 motifs",
        "contrast",
        __version__,
    ):
        assert part in text


def test_title_is_the_name_of_the_source_by_default(make_data, tmp_path):
    text = to_html(make_data(), tmp_path / "r.html").read_text("utf-8")
    assert "<title>field.dm4</title>" in text


def test_an_array_without_a_file_has_no_file_name(make_data, tmp_path):
    text = to_html(make_data(source="memory"), tmp_path / "r.html").read_text("utf-8")
    assert "<title>atomotif report</title>" in text
    assert "<li>memory</li>" not in text


@pytest.mark.parametrize(
    ("without", "views"),
    [
        ((), ["micrograph", "layout", "gallery"]),
        (("layout",), ["micrograph", "gallery"]),
        (("motifs",), ["micrograph", "layout"]),
        (("image",), ["micrograph", "layout", "gallery"]),
        (("motifs", "layout", "features", "points"), ["micrograph"]),
    ],
)
def test_views_without_data_are_left_out(make_data, tmp_path, without, views):
    text = to_html(make_data(without=without), tmp_path / "r.html").read_text("utf-8")
    assert content(text)["facts"]["views"] == views


def test_stale_groups_are_named(make_data, tmp_path):
    text = to_html(make_data(stale=("layout", "motifs")), tmp_path / "r.html").read_text("utf-8")
    assert content(text)["facts"]["stale"] == ["layout", "motifs"]
    assert "out of date: layout, motifs" in text


def test_no_data_at_all_are_refused(make_data, tmp_path):
    with pytest.raises(ValueError, match=r"`data` must have the group `image` or `points`, got none"):
        to_html(make_data(without=("image", "points", "features", "layout", "motifs")), tmp_path / "r.html")
    assert not (tmp_path / "r.html").exists()
