"""The steps of the method: each a frozen parameter dataclass and a function from groups to one group."""
