"""What a Plex account means for a person here: made, kept up to date, suspended and let in again."""

from __future__ import annotations

from datetime import UTC, datetime

from medianest.accounts.model import Role
from medianest.accounts.people.model import PersonChanged
from medianest.accounts.people.repository import PeopleRepository
from medianest.accounts.pictures import plex_picture_name
from medianest.accounts.plex.model import Finding, PlexAccount
from medianest.accounts.plex.names import user_names
from medianest.accounts.plex.repository import PlexAccountRepository
from medianest.database import UniqueViolation, transaction
from medianest.errors import Conflict
from medianest.events import EventBus
from medianest.integrations.plex_tv import PlexPerson
from medianest.system.audit import record
from medianest.vault import Vault

SUSPENDED = "The Plex server is no longer shared with this account."


class PlexPeople:
    """Rows of people and their Plex accounts. Nothing here calls Plex."""

    def __init__(
        self, repository: PlexAccountRepository, house: PeopleRepository, vault: Vault, events: EventBus
    ) -> None:
        self._repository = repository
        self._house = house
        self._vault = vault
        self._events = events

    async def enter(self, finding: Finding, token: str, *, address: str) -> int:
        """The person of a Plex account that may enter, made when they are new; their tokens are kept."""
        for _try in range(3):
            account = await self._repository.of_plex(finding.person.id)
            if account is not None:
                await self.came(account.user_id, finding, token)
                return account.user_id
            user_id = await self._made(finding, token, address)
            if user_id is not None:
                return user_id
        raise Conflict("Somebody else is being signed in with the same name. Try again.")

    async def _made(self, finding: Finding, token: str, address: str) -> int | None:
        """A new person; None when another tab was faster."""
        person, now = finding.person, datetime.now(UTC)
        for name in user_names(person):
            try:
                async with transaction():
                    user_id = await self._repository.add_user(name, person, plex_picture_name(person.thumb), at=now)
                    await self._link(user_id, finding, token, now)
                    await record(
                        "person.came_from_plex",
                        name,
                        actor_id=user_id,
                        actor_name=name,
                        address=address,
                        after={"role": "user", "plex_id": person.id, "is_owner": finding.is_owner},
                    )
            except UniqueViolation:
                if await self._repository.of_plex(person.id) is not None:
                    return None
                continue
            return user_id
        raise Conflict("No user name could be made for this Plex account. Ask whoever runs this server.")

    async def _link(self, user_id: int, finding: Finding, token: str, now: datetime) -> None:
        await self._repository.link(user_id, finding.person, is_owner=finding.is_owner, at=now)
        await self._keep(user_id, finding, token, now)

    async def _keep(self, user_id: int, finding: Finding, token: str | None, now: datetime) -> None:
        await self._repository.has_access(
            user_id,
            is_owner=finding.is_owner,
            server_token=self._sealed(user_id, "server_token", finding.server_token),
            account_token=self._sealed(user_id, "account_token", token),
            at=now,
        )

    def _sealed(self, user_id: int, column: str, token: str | None) -> str | None:
        return self._vault.seal(token, f"plex_accounts.{column}:{user_id}") if token else None

    def token_of(self, account: PlexAccount) -> str:
        """The plex.tv token of a person; raises `SealBroken` when it can not be read."""
        return self._vault.open(account.account_token or "", f"plex_accounts.account_token:{account.user_id}")

    async def came(self, user_id: int, finding: Finding, token: str | None = None) -> None:
        """Somebody known has the server: what Plex says about them is kept, and lost access is given back."""
        now = datetime.now(UTC)
        async with transaction():
            await self._repository.follow(user_id, finding.person, plex_picture_name(finding.person.thumb))
            await self._keep(user_id, finding, token, now)
            is_back = await self._repository.end_suspension(user_id)
            if is_back:
                await record(
                    "person.suspension_ended",
                    finding.person.username or finding.person.title,
                    actor_id=None,
                    actor_name="MediaNest",
                    detail="The Plex server is shared with them again.",
                    before={"state": "suspended"},
                    after={"state": "active"},
                )
        if is_back:
            await self._events.publish(PersonChanged(user_id=user_id))

    async def suspend(self, account: PlexAccount, username: str) -> bool:
        """Somebody has lost the server for sure. Their sessions are ended by the caller.

        False, too, for an administrator: Plex locks nobody out who runs MediaNest, and so never the last of them. They
        may have become one since they were looked at, or may be made one right now.
        """
        async with transaction():
            await self._house.hold_administrators()
            await self._house.hold(account.user_id)
            role = await self._house.role(account.user_id)
            if role is None or role is Role.ADMIN:
                return False
            is_done = await self._repository.suspend(account, SUSPENDED)
            if is_done:
                await record(
                    "person.suspended",
                    username,
                    actor_id=None,
                    actor_name="MediaNest",
                    detail=SUSPENDED,
                    before={"state": "active"},
                    after={
                        "state": "suspended",
                        "code": "plex_access",
                        "role": role.value,
                        "is_owner": account.is_owner,
                        "plex_id": account.plex_id,
                    },
                )
        if is_done:
            await self._events.publish(PersonChanged(user_id=account.user_id))
        return is_done

    async def link(
        self, user_id: int, username: str, finding: Finding, token: str | None, *, address: str = ""
    ) -> None:
        """Tie a Plex account to somebody who is here already; raises `UniqueViolation` when it is somebody else's."""
        now = datetime.now(UTC)
        async with transaction():
            await self._repository.link(user_id, finding.person, is_owner=finding.is_owner, at=now)
            if token:
                await self._keep(user_id, finding, token, now)
            await self._repository.follow(user_id, finding.person, plex_picture_name(finding.person.thumb))
            await record(
                "account.plex_linked",
                username,
                actor_id=user_id,
                actor_name=username,
                address=address,
                after={"plex_id": finding.person.id, "is_owner": finding.is_owner},
            )
        await self._events.publish(PersonChanged(user_id=user_id))

    async def link_owner(self, user_id: int, username: str, person: PlexPerson) -> bool:
        """Tie the owner's Plex account to the administrator who connected the server; False when it is taken."""
        account = await self._repository.of_plex(person.id)
        if account is not None or await self._repository.of_user(user_id) is not None:
            return account is not None and account.user_id == user_id
        try:
            await self.link(user_id, username, Finding(person=person, is_owner=True), None)
        except UniqueViolation:
            return False
        return True
