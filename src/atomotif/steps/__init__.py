"""The steps of the method: each a frozen parameter dataclass and a function from groups to one group.

A step imports its numerics when it runs, not before, so that a session starts in a moment.
"""
