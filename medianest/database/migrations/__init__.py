"""The numbered history of the schema. A new step is a new module at the end; what has been released is never edited."""

from medianest.database.migrations import (
    m0001_initial,
    m0002_people,
    m0003_media,
    m0004_requests,
    m0005_plex_library,
    m0007_people_pictures,
    m0008_engine,
    m0009_subscriptions,
    m0010_queue,
    m0011_taken,
    m0012_keeping,
    m0013_engine_version,
)

MIGRATIONS = (
    m0001_initial,
    m0002_people,
    m0003_media,
    m0004_requests,
    m0005_plex_library,
    m0007_people_pictures,
    m0008_engine,
    m0009_subscriptions,
    m0010_queue,
    m0011_taken,
    m0012_keeping,
    m0013_engine_version,
)
