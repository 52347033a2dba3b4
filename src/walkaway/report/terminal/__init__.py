"""What the terminal shows: one file per table, readable at 80 columns. Import each file by its own name."""
