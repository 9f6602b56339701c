"""How Interlude speaks on Telegram: messages, keyboards, pictures, and the one who sends."""
