"""The migrations, shipped with the program."""
