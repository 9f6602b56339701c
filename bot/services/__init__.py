"""Use cases: each one transaction, given the store, the content and the moment."""
