"""Text to risk findings: rules that staff write and can audit, each find with its rule, version, level and evidence."""

from bot.domain.risk.detector import Detector, check_word, compile_rules
from bot.domain.risk.pattern import Pattern, parse_pattern
from bot.domain.risk.rules import (
    CATEGORIES,
    COULD_NOT_BE_EXAMINED,
    Finding,
    PatternError,
    RiskRule,
    together,
)

__all__ = [
    "CATEGORIES",
    "COULD_NOT_BE_EXAMINED",
    "Detector",
    "Finding",
    "Pattern",
    "PatternError",
    "RiskRule",
    "check_word",
    "compile_rules",
    "parse_pattern",
    "together",
]
