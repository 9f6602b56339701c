"""A second opinion on what the risk rules passed: a sentence model and a regression, run with numpy and no network.

Nothing heavy is imported before the second opinion is switched on: numpy and tokenizers are an extra.
"""
