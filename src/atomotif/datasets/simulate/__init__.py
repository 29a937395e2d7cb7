"""Simulated micrographs of crystals, defects and boundaries, with the exact truth about every column."""

__all__: list[str] = []
