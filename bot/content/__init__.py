"""Markdown that programme staff write, made into the objects of the domain; the linter; the library that reloads."""
