"""Tables of what people follow. The DDL stands in `database/migrations/`."""

from __future__ import annotations

from piccolo.columns import JSONB, BigInt, BigSerial, Boolean, Date, Integer, Text, Timestamptz
from piccolo.table import Table


class SubscriptionRow(Table, tablename="subscriptions"):
    """A channel, playlist or feed that one person follows. Nothing is to be done while due_at is null."""

    id = BigSerial(primary_key=True)
    user_id = BigInt()
    url = Text()
    url_key = Text(help_text="SHA-256 of the normalised link, as of a download; unique for a person")
    site = Text(help_text="the site of the link, such as `youtube.com`")
    kind = Text(help_text="channel or playlist")
    title = Text()
    uploader = Text()
    picture = Text(null=True, default=None, help_text="name in the picture store")
    interval_s = Integer(help_text="seconds between two checks, before chance adds or takes a tenth")
    quality = Text()
    audio_only = Boolean()
    layout = Text(help_text="a Layout")
    priority = Integer(help_text="of fresh videos; older ones are always low")
    filters = JSONB(help_text="a Filters")
    keep_rule = Text(help_text="all, newest or days")
    keep_number = Integer(null=True, default=None, help_text="videos or days of the rule")
    state = Text(help_text="a SubscriptionState")
    is_newest_first = Boolean(help_text="the list shows its newest first, so that a check may stop at what is known")
    next_check_at = Timestamptz()
    due_at = Timestamptz(
        null=True, default=None, help_text="when something is to be done: a check, or adding what waits"
    )
    checked_at = Timestamptz(null=True, default=None)
    outcome = Text(null=True, default=None, help_text="an Outcome of the last check")
    message = Text(help_text="a sentence about what is wrong or awaited, else empty")
    failures = Integer(help_text="in a row")
    owner = Text(null=True, default=None)
    lease_until = Timestamptz(null=True, default=None)
    deletes_files = Boolean(help_text="of one that ends: its videos go with it")
    created_at = Timestamptz()
    changed_at = Timestamptz()


class SubscriptionItemRow(Table, tablename="subscription_items"):
    """One video that a followed list has shown."""

    id = BigSerial(primary_key=True)
    subscription_id = BigInt()
    item_key = Text(help_text="by what the list names it; unique in the subscription")
    identity = Text(help_text="as in the download history")
    url = Text()
    title = Text()
    duration_s = Integer(null=True, default=None)
    tab = Text(help_text="videos, shorts or streams of a channel, else empty")
    published_on = Date(null=True, default=None)
    place = BigInt(help_text="order of appearance: the greater, the newer")
    is_backlog = Boolean(help_text="it was there before the subscription")
    state = Text(help_text="an ItemState")
    reason = Text(help_text="why it was left out: a LeftOut, else empty")
    download_id = BigInt(null=True, default=None)
    is_ours = Boolean(help_text="the subscription put it into the queue: nobody had asked for it before")
    history_id = BigInt(null=True, default=None)
    found_at = Timestamptz()
    changed_at = Timestamptz()
