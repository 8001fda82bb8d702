"""With which token somebody reads the Plex server: their own, so that Plex applies their sharing, or the owner's."""

from __future__ import annotations

from medianest.accounts.model import User
from medianest.accounts.plex.repository import PlexAccountRepository
from medianest.connections.model import ServerAccess
from medianest.connections.service import ConnectionService
from medianest.errors import Conflict, NotAllowed
from medianest.vault import SealBroken, Vault


class ServerTokens:
    """Who has a Plex account reads with their own token and never with more; everybody else with the owner's."""

    def __init__(self, repository: PlexAccountRepository, vault: Vault, connections: ConnectionService) -> None:
        self._repository = repository
        self._vault = vault
        self._connections = connections

    async def of(self, user: User | None) -> ServerAccess:
        """The token of `user`; None is MediaNest itself.

        Raises:
            Conflict: no server, or no token of the owner's, is there.
            NotAllowed: Plex ended the person's sign-in, and what they may see is not known without it.
        """
        account = await self._repository.of_user(user.id) if user is not None else None
        if user is None or account is None or (account.is_owner and not account.server_token):
            return await self._owners(is_own=account is not None)
        if account.server_token:
            try:
                token = self._vault.open(account.server_token, f"plex_accounts.server_token:{user.id}")
            except SealBroken:
                token = ""
            if token:
                return ServerAccess(key=f"user:{user.id}", token=token)
        raise NotAllowed(
            "Sign in with Plex again, so that MediaNest sees which libraries are yours.", code="plex_sign_in_again"
        )

    async def _owners(self, *, is_own: bool) -> ServerAccess:
        token = await self._connections.plex_token()
        if not token:
            raise Conflict("Plex is not connected yet.", code="plex_not_connected")
        return ServerAccess(key="owner", token=token, is_own=is_own)
