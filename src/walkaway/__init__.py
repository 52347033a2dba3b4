"""walkaway: what is an hour spent on this deal from now on worth, and is that more than it earns elsewhere?"""

__version__ = "0.2.0"
__all__ = ["__version__"]
