"""Measurements of walkaway, beside other tools and methods where there are any."""
