"""Builds what belongs to signing in with Plex."""

from __future__ import annotations

from dataclasses import dataclass

from medianest.accounts.limits import Limits
from medianest.accounts.model import User
from medianest.accounts.people.repository import PeopleRepository
from medianest.accounts.people.suspensions import Suspensions
from medianest.accounts.plex.check import PlexCheck
from medianest.accounts.plex.people import PlexPeople
from medianest.accounts.plex.repository import PlexAccountRepository
from medianest.accounts.plex.service import PlexSignIn
from medianest.accounts.plex.tokens import ServerTokens
from medianest.accounts.repository import AccountRepository
from medianest.accounts.second_factor.service import SecondFactor
from medianest.accounts.second_factor.ticket import SecondFactorNeeded, Tickets
from medianest.accounts.sessions import Sessions
from medianest.connections.pins import HeldPin, Pins
from medianest.connections.service import ConnectionService
from medianest.events import EventBus
from medianest.vault import Vault


@dataclass(frozen=True)
class PlexAccounts:
    """`sign_in` for handlers, `check` for the scheduler, `tokens` for whoever reads the server for somebody."""

    sign_in: PlexSignIn
    check: PlexCheck
    tokens: ServerTokens


def build_plex_accounts(
    accounts: AccountRepository,
    sessions: Sessions,
    second_factor: SecondFactor,
    tickets: Tickets,
    suspensions: Suspensions,
    limits: Limits,
    connections: ConnectionService,
    pins: Pins,
    vault: Vault,
    events: EventBus,
) -> PlexAccounts:
    """Nothing is called yet."""
    repository = PlexAccountRepository()
    people = PlexPeople(repository, PeopleRepository(), vault, events)

    async def second_step(user: User, pin: HeldPin) -> None:
        # only who has a password can have one: linking a Plex account must not be a way around it
        stored = await accounts.password_hash(user.id)
        if stored and await second_factor.is_on(user.id):
            ticket = tickets.make(user.id, stored, is_remembered=pin.is_remembered, next_path=pin.next_path)
            raise SecondFactorNeeded(ticket)

    return PlexAccounts(
        sign_in=PlexSignIn(
            accounts, repository, people, sessions, pins, connections, limits, suspensions, gate=second_step
        ),
        check=PlexCheck(repository, people, sessions, connections),
        tokens=ServerTokens(repository, vault, connections),
    )
