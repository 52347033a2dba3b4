"""The leak audit: find fields that leak the outcome, and leave them out of training."""

from walkaway.audit.leaks import Audit, audit_book

__all__ = ["Audit", "audit_book"]
