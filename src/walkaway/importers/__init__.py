"""Foreign exports to books, one file a source."""
