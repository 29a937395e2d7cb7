"""The one warning class: everything that atomotif warns of is meant for its user."""

import warnings
from pathlib import Path


class AtomotifWarning(UserWarning):
    """Something that the user should know about a result, such as a size that was guessed."""


def warn(message: str) -> None:
    """Warn the user of `message`, pointing at the line outside of atomotif that led to it."""
    warnings.warn(message, AtomotifWarning, skip_file_prefixes=(str(Path(__file__).parent),), stacklevel=2)
