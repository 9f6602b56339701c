"""Doing once, before anybody needs help, what would otherwise keep the first who does waiting."""

from datetime import datetime

from bot.content.library import Content
from bot.services.alerts import working
from bot.services.contacts import country_name
from bot.services.emergency_numbers import emergency_numbers


def look_ahead(content: Content, now: datetime) -> None:
    """Read the tables of holidays, emergency numbers and countries that an alert needs: up to a second each."""
    for languages in content.programmes.values():
        for language, programme in languages.items():
            _ = now.date() in working(programme).holidays
            for country in {programme.country, *content.crisis_lines} - {""}:
                emergency_numbers(country)
                country_name(country, language)
