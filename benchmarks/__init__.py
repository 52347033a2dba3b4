"""Measurements of walkaway beside other ways to the same result."""
