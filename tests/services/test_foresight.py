"""What the first alert needs is read before anybody needs it."""

from cast import Cast

from bot.content.public_holidays import days_closed
from bot.services.emergency_numbers import emergency_numbers
from bot.services.foresight import look_ahead


async def test_the_first_cry_has_no_table_read(clinic: Cast) -> None:
    days_closed.cache_clear()
    emergency_numbers.cache_clear()
    look_ahead(clinic.content, clinic.now)
    before = days_closed.cache_info().misses, emergency_numbers.cache_info().misses
    await clinic.writes("Robin", "I want to kill myself tonight")
    assert (days_closed.cache_info().misses, emergency_numbers.cache_info().misses) == before
    assert days_closed.cache_info().hits
