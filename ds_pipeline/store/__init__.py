"""Where everything that is made lies: snapshots by content, datasets by week, and tables as of a date."""
