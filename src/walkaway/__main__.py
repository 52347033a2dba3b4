"""`python -m walkaway` is `walkaway`."""

from walkaway.cli import main

if __name__ == "__main__":
    main()
