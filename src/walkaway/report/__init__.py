"""What people look at: figures, from tidy frames."""
