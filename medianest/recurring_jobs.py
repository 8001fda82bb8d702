"""The table of recurring jobs: what runs by itself, and when."""

from __future__ import annotations

from medianest.accounts.pictures import PeoplePictures
from medianest.accounts.plex.assembly import PlexAccounts
from medianest.accounts.service import AccountService
from medianest.connections.assembly import Connections
from medianest.downloads.assembly import Downloads
from medianest.engine.updating import EngineUpdates
from medianest.keeping.service import KeepingService
from medianest.media.assembly import Media
from medianest.plex_library.assembly import PlexLibrary
from medianest.requests.jobs import RequestJobs
from medianest.scheduler import Job
from medianest.system.service import SystemService
from medianest.web.templating import gettext as _


def jobs(
    accounts: AccountService, connections: Connections, downloads: Downloads, system: SystemService
) -> tuple[Job, ...]:
    """The table of recurring jobs."""
    cleaning = downloads.jobs
    hourly, nightly = _("Every hour"), _("Every night")
    return (
        Job(
            name="clean_sessions",
            title=_("Forget ended sessions"),
            schedule=hourly,
            call=accounts.clean_sessions,
            every_s=3600,
        ),
        Job(
            name="clean_devices",
            title=_("Forget devices that were not used for a year"),
            schedule=nightly,
            call=accounts.devices.clean,
            at_hour=3,
        ),
        Job(
            name="check_plex",
            title=_("See whether Plex answers"),
            schedule=_("Every 5 minutes"),
            call=connections.service.check,
            every_s=300,
        ),
        Job(
            name="check_services",
            title=_("See whether the outside services answer"),
            schedule=_("Every minute"),
            call=connections.states.watch,
            every_s=60,
        ),
        Job(
            name="clean_plex_pins",
            title=_("Forget Plex sign-ins that nobody finished"),
            schedule=hourly,
            call=connections.pins.clean,
            every_s=3600,
        ),
        Job(
            name="end_suspensions",
            title=_("End suspensions whose time is over"),
            schedule=hourly,
            call=accounts.suspensions.end_due,
            every_s=3600,
        ),
        Job(
            name="clean_staging",
            title=_("Remove unfinished files"),
            schedule=nightly,
            call=cleaning.clean_staging,
            at_hour=3,
        ),
        Job(
            name="clean_rows",
            title=_("Remove old downloads that failed"),
            schedule=nightly,
            call=cleaning.clean_rows,
            at_hour=3,
        ),
        Job(
            name="forget_site_pauses",
            title=_("Forget pauses of sites that are over"),
            schedule=nightly,
            call=downloads.pauses.forget,
            at_hour=3,
        ),
        Job(
            name="clean_pictures",
            title=_("Remove unused pictures"),
            schedule=nightly,
            call=cleaning.clean_pictures,
            at_hour=3,
        ),
        Job(
            name="clean_download_log",
            title=_("Shorten download logs"),
            schedule=nightly,
            call=cleaning.clean_download_log,
            at_hour=3,
        ),
        Job(
            name="clean_records", title=_("Remove old records"), schedule=nightly, call=system.clean_records, at_hour=3
        ),
        Job(name="clean_logs", title=_("Remove old log files"), schedule=nightly, call=system.clean_logs, at_hour=3),
    )


def request_jobs(requests: RequestJobs) -> tuple[Job, ...]:
    """Recurring jobs about requests."""
    return (
        Job(
            name="sync_requests",
            title=_("See how far requests are"),
            schedule=_("Every minute"),
            call=requests.sync,
            every_s=60,
        ),
        Job(
            name="clean_requests",
            title=_("Remove ended requests of people who are gone"),
            schedule=_("Every night"),
            call=requests.clean,
            at_hour=3,
        ),
    )


def people_jobs(plex_accounts: PlexAccounts, people_pictures: PeoplePictures) -> tuple[Job, ...]:
    """Recurring jobs about people who come by Plex, and about pictures."""
    return (
        Job(
            name="check_plex_people",
            title=_("See who still has the Plex server"),
            schedule=_("Every 15 minutes"),
            call=plex_accounts.check.run,
            every_s=900,
        ),
        Job(
            name="ping_plex",
            title=_("Keep Plex sign-ins alive"),
            schedule=_("Every week"),
            call=plex_accounts.check.ping,
            every_s=7 * 24 * 3600,
        ),
        Job(
            name="clean_people_pictures",
            title=_("Remove pictures of people that nobody has any more"),
            schedule=_("Every night"),
            call=people_pictures.clean,
            at_hour=3,
        ),
    )


def plex_library_jobs(plex_library: PlexLibrary) -> tuple[Job, ...]:
    """Recurring jobs about our library in Plex."""
    upkeep = plex_library.upkeep
    return (
        Job(
            name="check_plex_library",
            title=_("See whether the library in Plex is as downloads need it"),
            schedule=_("Every night"),
            call=plex_library.checks.run_by_night,
            at_hour=4,
        ),
        Job(
            name="catch_up_plex_library",
            title=_("See which videos Plex is still to show"),
            schedule=_("Every 15 minutes"),
            call=upkeep.catch_up,
            every_s=900,
        ),
        Job(
            name="verify_plex_library",
            title=_("See whether Plex still has our videos"),
            schedule=_("Every hour"),
            call=upkeep.verify,
            every_s=3600,
        ),
        Job(
            name="repair_plex_library",
            title=_("Look for missing videos and mend collections in Plex"),
            schedule=_("Every night"),
            call=upkeep.look_again,
            at_hour=4,
        ),
    )


def keeping_jobs(keeping: KeepingService) -> tuple[Job, ...]:
    """Recurring jobs about what stays in the library."""
    return (
        Job(
            name="keep_to_rules",
            title=_("Announce and delete videos by the keeping rules"),
            schedule=_("Every night"),
            call=keeping.keep_to_rules,
            at_hour=5,
        ),
    )


def media_jobs(media: Media) -> tuple[Job, ...]:
    """Recurring jobs about films and series."""
    return (
        Job(
            name="look_into_plex",
            title=_("See what has arrived in Plex"),
            schedule=_("Every 5 minutes"),
            call=media.service.look_again,
            every_s=300,
        ),
        Job(
            name="clean_media_pictures",
            title=_("Remove posters that nobody looked at for long"),
            schedule=_("Every night"),
            call=media.pictures.clean,
            at_hour=3,
        ),
    )


def engine_jobs(updates: EngineUpdates) -> tuple[Job, ...]:
    """Recurring jobs about what downloads run with."""
    return (
        Job(
            name="update_engine",
            title=_("Look for a newer yt-dlp"),
            schedule=_("Every night"),
            call=updates.update_daily,
            at_hour=5,
        ),
    )
