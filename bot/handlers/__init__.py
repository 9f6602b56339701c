"""Handlers: decode the update, call one service, answer the tap."""
