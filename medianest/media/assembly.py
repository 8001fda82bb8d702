"""Puts the slice of films and series together; the application calls it once."""

from __future__ import annotations

from dataclasses import dataclass

from medianest.connections.model import PlexConnectionChanged
from medianest.connections.service import ConnectionService
from medianest.events import EventBus
from medianest.media.browsing import Browsing
from medianest.media.items import ItemMaker
from medianest.media.model import TitleAvailabilityChanged
from medianest.media.pictures import MediaPictures
from medianest.media.plex_index import Place, PlexIndex
from medianest.media.plex_looks import PlexLooks
from medianest.media.repository import MediaRepository
from medianest.media.search import FindVideos, Search
from medianest.media.service import MediaService
from medianest.media.signing import PictureSigner
from medianest.media.titles import Manager, Titles
from medianest.media.viewers import AccessOf, Viewers
from medianest.settings import TMDB_IMAGES_URL, Settings


@dataclass(frozen=True)
class Media:
    """What the rest of the application takes: `service` for other slices, `pictures` for their route."""

    service: MediaService
    pictures: MediaPictures

    async def close(self) -> None:
        await self.service.close()
        await self.pictures.close()


def build_media(
    settings: Settings,
    events: EventBus,
    connections: ConnectionService,
    *,
    access_of: AccessOf,
    manager: Manager,
    find_videos: FindVideos,
) -> Media:
    """Nothing is called yet.

    Args:
        access_of: with which token somebody reads Plex.
        manager: the client of the request manager; raises Conflict when none is connected.
        find_videos: the search at YouTube.
    """
    viewers, repository = Viewers(connections, access_of), MediaRepository()
    signer = PictureSigner(settings.secret_key)
    browsing = Browsing(viewers, ItemMaker(signer, settings.plex_app_url))

    async def place() -> Place:
        owner = await viewers.of(None)
        media = await viewers.media(owner.machine_id)
        sections = (await browsing.sections(owner)).value
        return Place(
            machine_id=owner.machine_id,
            media=media,
            token=owner.token,
            sections=tuple((section.key, section.type) for section in sections),
        )

    index = PlexIndex(place)
    looks = PlexLooks(viewers, index)
    titles = Titles(repository, viewers, browsing, looks, manager, signer, events)
    search = Search(repository, viewers, browsing, index, titles, manager, signer, find_videos)
    service = MediaService(titles, search, browsing, looks)
    events.subscribe(PlexConnectionChanged, service.server_changed)
    events.subscribe(TitleAvailabilityChanged, service.library_changed)
    pictures = MediaPictures(
        viewers,
        signer,
        settings.data_dir / "cache" / "pictures",
        settings.tmdb_images_url,
        is_tmdb_named=settings.tmdb_images_url != TMDB_IMAGES_URL,
    )
    return Media(service=service, pictures=pictures)
