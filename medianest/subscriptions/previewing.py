"""A list and what would be taken of it, as people and scripts see it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from medianest.downloads.feeds.model import Feed
from medianest.subscriptions.model import PreviewedVideo, SubscriptionPreview
from medianest.subscriptions.rules import Judged

MOST_SHOWN = 10  # of what is taken, and of what is left out


def show_feed(
    url: str, feed: Feed, judged: Sequence[Judged], *, confirm_above: int | None, existing: int | None
) -> SubscriptionPreview:
    """What `judged`, which is all or the new part of `feed`, comes to."""
    taken = [one for one in judged if one.left_out is None]
    left = [one for one in judged if one.left_out is not None]
    shown = sorted((*taken[:MOST_SHOWN], *left[:MOST_SHOWN]), key=judged.index)
    return SubscriptionPreview(
        url=url,
        kind=feed.kind,
        title=feed.title,
        uploader=feed.uploader,
        items_total=len(feed.entries),
        is_capped=feed.is_capped,
        takes=len(taken),
        left_out=dict(Counter(str(one.left_out) for one in left)),
        not_out_yet=sum(one.is_not_out for one in feed.entries),
        tabs=dict(Counter(one.tab for one in feed.entries if one.tab)),
        videos=tuple(_video(one) for one in shown),
        needs_confirmation=confirm_above is not None and len(taken) > confirm_above,
        existing=existing,
    )


def _video(one: Judged) -> PreviewedVideo:
    entry = one.entry
    return PreviewedVideo(
        title=entry.title,
        url=entry.url,
        duration_s=entry.duration_s,
        published_on=entry.published_on,
        tab=entry.tab,
        is_taken=one.left_out is None,
        reason=one.left_out,
    )
