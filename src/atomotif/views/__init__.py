"""Views of a session's data: an ``xr.DataTree`` in, Bokeh models and packed columns out."""
