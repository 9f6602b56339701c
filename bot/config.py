"""Settings: read once from the environment and .env, frozen, secrets hidden."""

import re
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

HIGHEST_PORT = 65535


class Settings(BaseSettings):
    """What differs from one installation to the next. Each is `INTERLUDE_` and its name in the environment."""

    model_config = SettingsConfigDict(
        env_prefix="INTERLUDE_", env_file=".env", frozen=True, extra="forbid", hide_input_in_errors=True
    )

    token: SecretStr = Field(default=SecretStr(""), description="The bot's token, from @BotFather.")
    keys: SecretStr = Field(
        default=SecretStr(""),
        description="Encryption keys, NAME:BASE64[,NAME:BASE64]; the first encrypts. `interlude doctor` makes one.",
    )
    database_url: str = Field(
        default="sqlite+aiosqlite:///var/interlude.db",
        repr=False,  # may hold a password
        description="sqlite+aiosqlite:///PATH or postgresql+asyncpg://USER:PASSWORD@HOST/NAME.",
    )
    content_dir: Path = Field(default=Path("content"), description="The folder of skills, measures and programmes.")
    telegram_url: str = Field(
        default="https://api.telegram.org", description="Where the Bot API is; the sandbox has its own."
    )
    clock_url: str = Field(default="", description="A sandbox whose movable clock is followed; empty: the machine's.")
    heartbeat_url: str = Field(
        default="",
        repr=False,  # whoever knows it can ping it
        description="Pinged each minute after the due work was done.",
    )
    listen: str = Field(
        default="", description="HOST:PORT where /livez and /readyz answer, such as 127.0.0.1:8080; empty: nowhere."
    )
    webhook_url: str = Field(
        default="",
        description="Where Telegram brings updates, https://...; needs LISTEN and WEBHOOK_SECRET; empty: polling.",
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""), description="What Telegram shows with each update: 16 to 256 letters, digits, _ and -."
    )
    messages_per_second: float = Field(
        default=30,
        gt=0,
        le=1000,
        description="Telegram's limit for this bot; above 30 Telegram asks to be paid for what goes beyond.",
    )
    messages_per_chat: float = Field(default=1, gt=0, le=1000, description="Telegram's limit for one chat, a second.")
    second_opinion: Literal["auto", "on", "off"] = Field(
        default="auto", description="Whether a model looks at what the risk rules passed; auto: when it is installed."
    )
    sentry_dsn: SecretStr = Field(
        default=SecretStr(""),
        description="Where errors are told, without a word of anybody's; needs interlude[sentry]; empty: nowhere.",
    )
    log_format: Literal["text", "json"] = Field(default="text", description="How log lines look.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="What is logged.")

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: str) -> str:
        if not url.startswith(("sqlite+aiosqlite:///", "postgresql+asyncpg://")):
            raise ValueError("must begin with sqlite+aiosqlite:/// or postgresql+asyncpg://")
        return url

    @field_validator("listen")
    @classmethod
    def _an_address(cls, address: str) -> str:
        host, _, port = address.rpartition(":")
        if address and not (host and port.isdecimal() and int(port) <= HIGHEST_PORT):
            raise ValueError("must look like 127.0.0.1:8080")
        return address

    @field_validator("webhook_url")
    @classmethod
    def _a_web_address(cls, url: str) -> str:
        if url and not (url.startswith(("https://", "http://127.0.0.1")) and len(urlsplit(url).path) > 1):
            raise ValueError("must begin with https:// and have a path, like https://interlude.example.org/telegram")
        return url

    @model_validator(mode="after")
    def _webhook_is_whole(self) -> Self:
        if not self.webhook_url:
            return self
        if not self.listen:
            raise ValueError(
                "INTERLUDE_WEBHOOK_URL needs INTERLUDE_LISTEN: the address that your proxy passes updates to"
            )
        if not re.fullmatch(r"[A-Za-z0-9_-]{16,256}", self.webhook_secret.get_secret_value()):
            raise ValueError("INTERLUDE_WEBHOOK_URL needs INTERLUDE_WEBHOOK_SECRET: 16 to 256 letters, digits, _ and -")
        return self

    @property
    def webhook_path(self) -> str:
        """The path at which updates arrive; `webhook_url` must not be empty."""
        return urlsplit(self.webhook_url).path

    @property
    def listen_at(self) -> tuple[str, int]:
        """The host and port to listen at; `listen` must not be empty."""
        host, _, port = self.listen.rpartition(":")
        return host, int(port)

    @property
    def database_file(self) -> Path | None:
        """The database's file, None when it is a server."""
        prefix = "sqlite+aiosqlite:///"
        return Path(self.database_url.removeprefix(prefix)) if self.database_url.startswith(prefix) else None


def wrong_settings(error: ValidationError) -> list[str]:
    """Return what is wrong with the settings, a line for each, with nothing of what they hold."""
    found = [
        (".".join(str(part) for part in one["loc"]), one["msg"].removeprefix("Value error, ")) for one in error.errors()
    ]
    return [f"INTERLUDE_{name.upper()}: {what}" if name else what for name, what in found]
