"""The champion applied to one week of features, and the list a campaign receives."""
