"""The one warning class: everything that atomotif warns of is meant for its user."""

import warnings


class AtomotifWarning(UserWarning):
    """Something that the user should know about a result, such as a size that was guessed."""


def warn(message: str) -> None:
    """Warn the user of `message`, pointing at the line that called the function that warns."""
    warnings.warn(message, AtomotifWarning, stacklevel=3)
