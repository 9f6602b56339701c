"""A second opinion that learned from a handful of sentences."""

from dataclasses import replace
from pathlib import Path

import pytest
from small import sentences

from bot.content.library import Content
from bot.domain.risk import RiskRule, compile_rules
from bot.semantic.encoder import load_encoder
from bot.semantic.opinion import SecondOpinion
from bot.semantic.trained import Trained, read_trained
from bot.semantic.training import train


@pytest.fixture(scope="session")
def one_rule(content: Content) -> Content:
    """The shipped content, but a single risk rule: what people hint at is left to the second opinion."""
    rule = RiskRule(
        id="wish",
        title="Wish to be dead",
        level="orange",
        category="ideation",
        version="1",
        language="en",
        says=("want to die",),
    )
    return replace(content, detector=compile_rules([rule], {}))


@pytest.fixture(scope="session")
def trained(content: Content) -> Trained:
    return replace(train(sentences(), content.detector, load_encoder(), rules="r").trained, version="v1")


@pytest.fixture(scope="session")
def opinion(trained: Trained) -> SecondOpinion:
    return SecondOpinion(load_encoder(), replace(trained, threshold=0.5))


@pytest.fixture(scope="session")
def eager(trained: Trained) -> SecondOpinion:
    """One that finds everything worth a look."""
    return SecondOpinion(load_encoder(), replace(trained, threshold=-1000.0))


@pytest.fixture(scope="session")
def shipped() -> SecondOpinion:
    return SecondOpinion(load_encoder(), read_trained(Path(__file__).parents[2] / "content"))
