"""Senders for the receivers of the intent."""

from collections.abc import Mapping
from datetime import UTC, datetime

from alerts.notify.outcome import Sender
from alerts.notify.payload import Links
from alerts.notify.webhook import WebhookSender
from anycast.intent import Intent


def senders(intent: Intent, page: str) -> Mapping[str, Sender]:
    """One sender a receiver, by name. `page` is the console's address, for links."""
    links = Links(finding=f"{page}/#{{id}}" if page else "")
    return {
        receiver.name: WebhookSender(receiver, links, clock=lambda: datetime.now(UTC)) for receiver in intent.receivers
    }
