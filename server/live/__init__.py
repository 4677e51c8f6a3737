"""Meetings while they happen: audio made durable and decoded as it comes, events kept and sent again."""
