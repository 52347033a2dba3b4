"""What the terminal shows: one file a table, readable at 80 columns. Each file is imported by its own name."""
