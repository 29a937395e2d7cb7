"""The session: the state of one analysis, and the verbs that change it."""
