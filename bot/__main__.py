"""`python -m bot` is `interlude`."""

from bot.cli import main

main()
