"""The one warning class: everything that atomotif warns of is meant for its user."""


class AtomotifWarning(UserWarning):
    """Something that the user should know about a result, such as a size that was guessed."""
