"""Arrays in, arrays out: one topic a module, no xarray, nothing of the floors above."""
