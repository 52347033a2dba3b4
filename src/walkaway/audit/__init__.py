"""The leak audit: what of a book knows how its deals end before it can, and is left out of training for it."""

from walkaway.audit.leaks import Audit, audit_book

__all__ = ["Audit", "audit_book"]
