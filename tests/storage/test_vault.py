"""What is sealed can be read in its own place only, and only with its key."""

import pytest

from bot.storage.vault import BadKey, Unreadable, Vault, new_key, read_keys


def test_a_sealed_value_opens_in_its_own_place_only() -> None:
    vault = Vault(read_keys(new_key("a")))
    sealed = vault.seal("answers.text", 7, "only for my team")
    assert b"team" not in sealed
    assert vault.open("answers.text", 7, sealed) == "only for my team"
    for place, row in (("answers.text", 8), ("case_events.note", 7)):
        with pytest.raises(Unreadable):
            vault.open(place, row, sealed)


def test_what_an_older_key_sealed_is_still_read_after_a_new_key_came() -> None:
    old, new = new_key("old"), new_key("new")
    sealed = Vault(read_keys(old)).seal("a.b", 1, "x")
    both = Vault(read_keys(f"{new},{old}"))
    assert both.open("a.b", 1, sealed) == "x"
    assert both.seal("a.b", 1, "x")[:3] == b"new"
    with pytest.raises(Unreadable, match="not configured"):
        Vault(read_keys(new)).open("a.b", 1, sealed)


@pytest.mark.parametrize("setting", ["nonsense", "k1:short", ":AAAA", "toolong:" + "A" * 43 + "="])
def test_a_malformed_key_is_explained(setting: str) -> None:
    with pytest.raises(BadKey, match="NAME:KEY"):
        read_keys(setting)
