"""Signing in with Plex, and linking a Plex account to somebody who is here already.

Everything lies in the row of the PIN, so that a restart, another instance or a second tab goes on where it stands. What
fails for a passing reason is tried again at the next look.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from uuid import UUID

from medianest.accounts.limits import Limits, network_of
from medianest.accounts.model import Caller, Device, SuspensionCode, Tokens, User
from medianest.accounts.people.suspensions import Suspensions
from medianest.accounts.plex.membership import Membership
from medianest.accounts.plex.model import Finding, Outcome, PlexAccount, Refusal, Refused, Step, name_of
from medianest.accounts.plex.people import PlexPeople
from medianest.accounts.plex.repository import PlexAccountRepository
from medianest.accounts.repository import AccountRepository
from medianest.accounts.sessions import Sessions
from medianest.connections.model import PlexConnection
from medianest.connections.pins import HeldPin, PinPurpose, Pins, PinState
from medianest.connections.service import ConnectionService
from medianest.database import UniqueViolation
from medianest.errors import Conflict, MediaNestError, NotFound, UpstreamFailed
from medianest.integrations.plex_tv import PlexPerson, TokenDead
from medianest.system.audit import record

log = logging.getLogger(__name__)

PINS_PER_ADDRESS = 30  # in fifteen minutes
STEPS = {
    PinState.PENDING: Step.WAITING,
    PinState.HELD: Step.WAITING,
    PinState.AUTHORIZED: Step.DONE,
    PinState.REFUSED: Step.REFUSED,
    PinState.EXPIRED: Step.EXPIRED,
    PinState.CANCELLED: Step.CANCELLED,
}
# asked before a session is opened: raises when the person needs a second step
Gate = Callable[[User, HeldPin], Awaitable[None]]


class PlexSignIn:
    """Built once in `app.py`; known to handlers as `plex_sign_in`."""

    def __init__(
        self,
        accounts: AccountRepository,
        repository: PlexAccountRepository,
        people: PlexPeople,
        sessions: Sessions,
        pins: Pins,
        connections: ConnectionService,
        limits: Limits,
        suspensions: Suspensions,
        gate: Gate,
    ) -> None:
        self._accounts = accounts
        self._repository = repository
        self._people = people
        self._sessions = sessions
        self._pins = pins
        self._connections = connections
        self._membership = Membership(connections)
        self._limits = limits
        self._suspensions = suspensions
        self._gate = gate

    async def server(self) -> PlexConnection | None:
        """The server that people sign in for; None while there is none."""
        return await self._connections.plex()

    async def required_server(self) -> PlexConnection:
        """The same; without one there is no such way in.

        Raises:
            NotFound: no server is connected.
        """
        connection = await self.server()
        if connection is None:
            raise NotFound("Signing in with Plex is not set up here. Use a password.")
        return connection

    # beginning

    async def begin(
        self,
        *,
        is_strong: bool,
        return_url: str,
        address: str,
        next_path: str = "",
        is_remembered: bool = False,
        link_to: User | None = None,
    ) -> tuple[HeldPin, str]:
        """A new PIN and the secret for the browser that began it.

        Args:
            is_strong: for Plex's own sign-in page; else four characters to type elsewhere.
            return_url: where Plex sends the browser afterwards.
            link_to: who wants the Plex account linked; None to sign in.

        Raises:
            NotFound: Plex is not connected.
            TooMany: too many from this address.
            UpstreamFailed: plex.tv gives no PIN now.
        """
        await self.required_server()
        sentence = "Too many sign-ins with Plex were begun from your network. Wait until {until}, then try again."
        await self._limits.hit(f"plex sign-in {network_of(address)}", PINS_PER_ADDRESS, sentence)
        return await self._pins.begin(
            PinPurpose.LINK if link_to else PinPurpose.SIGN_IN,
            is_strong=is_strong,
            forward_base=return_url,
            next_path=next_path,
            is_remembered=is_remembered,
            user_id=link_to.id if link_to else None,
        )

    async def of_browser(
        self, secret: str | None, *, state: str | None = None, by: User | None = None
    ) -> HeldPin | None:
        """What this browser began: a sign-in or, `by` given, linking for that person."""
        pin = await self._pins.of_browser(secret, PinPurpose.LINK if by else PinPurpose.SIGN_IN, state=state)
        return pin if pin is not None and (by is None or pin.user_id == by.id) else None

    async def with_secret(self, pin_id: UUID, secret: str) -> HeldPin:
        """A sign-in by its number, for whoever has its secret.

        Raises:
            NotFound: there is none, or Plex is not connected.
        """
        await self.required_server()
        pin = await self._pins.get(pin_id, secret)
        if pin is None or pin.purpose is not PinPurpose.SIGN_IN:
            raise NotFound("There is no such sign-in, or another device began it.")
        return pin

    async def cancel(self, pin: HeldPin) -> None:
        await self._pins.finish(pin, PinState.CANCELLED)

    # going on

    async def go_on(self, pin: HeldPin, device: Device) -> Outcome:
        """Look whether the PIN was allowed and, when it was, finish what it was for.

        Raises:
            SecondFactorNeeded: the person of this Plex account has a second step switched on.
        """
        pin = await self._pins.look(pin)
        if pin.token is None:
            refused = Refused.read(pin.reason) if pin.state is PinState.REFUSED else None
            trouble = pin.reason if pin.is_open else ""
            return Outcome(step=STEPS[pin.state], pin=pin, refused=refused, trouble=trouble)
        connection = await self.server()
        if connection is None:
            return await self._refuse(pin, Refused(code=Refusal.NOT_CONNECTED))
        try:
            finding = await self._membership.read(pin.token, connection)
            if pin.purpose is PinPurpose.LINK:
                return await self._link(pin, finding, pin.token, device)
            return await self._enter(pin, finding, pin.token, device)
        except TokenDead:
            return await self._refuse(pin, Refused(code=Refusal.TOKEN_DEAD))
        except UpstreamFailed as error:
            log.info("A sign-in with Plex waits: %s", error.code)
            await self._pins.postpone(pin)
            return Outcome(step=Step.WAITING, pin=pin, trouble="plex_unreachable")

    async def _enter(self, pin: HeldPin, finding: Finding, token: str, device: Device) -> Outcome:
        who = name_of(finding.person)
        if finding.refusal is not None:
            await record(
                "account.plex_sign_in_refused",
                f"{who} ({finding.person.id})",
                actor_id=None,
                actor_name=who,
                address=device.address,
                detail=finding.refusal.value,
            )
            return await self._refuse(pin, Refused(code=finding.refusal, who=who))
        user = await self._user(await self._people.enter(finding, token, address=device.address))
        if sentence := await self._suspensions.sentence(user):
            return await self._refuse(pin, Refused(code=Refusal.SUSPENDED, who=who, detail=sentence))
        user = await self._user(user.id)
        try:
            await self._gate(user, pin)
        except MediaNestError:
            await self._pins.finish(pin, PinState.AUTHORIZED, result_user_id=user.id)
            raise
        tokens = await self._sessions.open(user, device, is_remembered=pin.is_remembered, method="plex")
        return await self._done(pin, user, tokens)

    async def _user(self, user_id: int) -> User:
        return await self._accounts.get(user_id)

    async def _done(self, pin: HeldPin, user: User, tokens: Tokens | None = None) -> Outcome:
        pin = await self._pins.finish(pin, PinState.AUTHORIZED, result_user_id=user.id)
        if pin.state is not PinState.AUTHORIZED and tokens is not None:
            # cancelled in another tab while plex.tv was asked
            await self._sessions.end(user.id, "sign-in cancelled", only=tokens.session.id)
            return Outcome(step=STEPS[pin.state], pin=pin)
        return Outcome(step=Step.DONE, pin=pin, tokens=tokens)

    async def _refuse(self, pin: HeldPin, refused: Refused) -> Outcome:
        pin = await self._pins.finish(pin, PinState.REFUSED, refused.stored())
        return Outcome(step=Step.REFUSED, pin=pin, refused=refused)

    # linking

    async def account_of(self, user: User) -> PlexAccount | None:
        """The Plex account linked to somebody."""
        return await self._repository.of_user(user.id)

    async def _link(self, pin: HeldPin, finding: Finding, token: str, device: Device) -> Outcome:
        who = name_of(finding.person)
        if finding.refusal is not None or pin.user_id is None:
            return await self._refuse(pin, Refused(code=finding.refusal or Refusal.NO_ACCESS, who=who))
        user = await self._user(pin.user_id)
        other = await self._repository.of_plex(finding.person.id)
        if other is not None and other.user_id != user.id:
            return await self._refuse(pin, Refused(code=Refusal.TAKEN, who=who))
        present = await self._repository.of_user(user.id)
        if present is not None and present.plex_id != finding.person.id:
            return await self._refuse(pin, Refused(code=Refusal.OTHER_LINKED, who=who))
        try:
            if present is not None:
                await self._people.came(user.id, finding, token)
            else:
                await self._people.link(user.id, user.username, finding, token, address=device.address)
        except UniqueViolation:
            return await self._refuse(pin, Refused(code=Refusal.TAKEN, who=who))
        return await self._done(pin, user)

    async def link_owner(self, user_id: int, person: PlexPerson) -> None:
        """Tie the owner's Plex account to the administrator who connected the server.

        Raises:
            Conflict: it belongs to somebody else here.
        """
        user = await self._user(user_id)
        if not await self._people.link_owner(user_id, user.username, person):
            raise Conflict("This Plex account belongs to somebody else here.", code="plex_account_taken")

    async def is_linked(self, user_id: int) -> bool:
        """Whether somebody has a Plex account linked."""
        return await self._repository.of_user(user_id) is not None

    async def unlink(self, caller: Caller, *, address: str = "") -> None:
        """Let go of the own Plex account; other ways in must be there.

        Raises:
            NotFound: none is linked.
            Conflict: there is no password to sign in with.
        """
        user = caller.user
        account = await self._repository.of_user(user.id)
        if account is None:
            raise NotFound("No Plex account is linked.")
        if await self._accounts.password_hash(user.id) is None:
            raise Conflict("You sign in with Plex only. Without it you could not come in again.", code="no_password")
        await self._repository.unlink(user.id)
        await record(
            "account.plex_unlinked",
            user.username,
            actor_id=user.id,
            actor_name=user.username,
            address=address,
            before={"plex_id": account.plex_id},
        )

    async def may_link(self, user: User) -> bool:
        """Whether linking is offered: administrators, while Plex is connected and they have none."""
        return user.is_admin and await self.server() is not None and not await self.is_linked(user.id)

    async def is_waiting_for_plex(self, user_id: int) -> bool:
        """Whether somebody is suspended only because the server is not shared with them any more."""
        return await self._repository.suspension(user_id) is SuspensionCode.PLEX_ACCESS
