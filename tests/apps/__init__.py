"""Two applications as they stand in the README: a support console in Django, a shop in Flask."""
