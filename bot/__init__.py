"""Interlude: coping skills between the sessions of an intensive outpatient programme, on Telegram."""
