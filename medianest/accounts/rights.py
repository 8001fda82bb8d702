"""What a person may do, worked out from their own row and the default set."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from medianest.accounts.model import DefaultRights, Permission, Quotas, RatingLimit, Role, User, UserState

DEFAULTS_KEY = "default_rights"  # in system_settings
# a child never gets these, whatever was ticked: each of its wishes is looked at by a grown-up
NOT_FOR_CHILDREN = frozenset(
    (
        Permission.REQUEST_4K,
        Permission.AUTO_APPROVE,
        Permission.FOLLOW,
        Permission.PRIORITY,
        Permission.MANAGE_REQUESTS,
        Permission.MANAGE_USERS,
        Permission.MANAGE_SETTINGS,
        Permission.SEE_OTHERS_REQUESTS,
    )
)


@lru_cache(maxsize=4)
def default_rights(stored: str | None) -> DefaultRights:
    """The default set as it stands in the settings; the built-in one when nothing was saved."""
    return msgspec.json.decode(stored, type=DefaultRights) if stored else DefaultRights()


def stored_permissions(permissions: tuple[Permission, ...] | None) -> str | None:
    """As it stands in the row; None is the default set."""
    return None if permissions is None else " ".join(sorted(permission.value for permission in permissions))


def own_permissions(stored: str | None) -> tuple[Permission, ...] | None:
    """What `stored_permissions` made. Words of a newer build are left out."""
    if stored is None:
        return None
    return tuple(permission for permission in Permission if permission.value in stored.split())


def user_from_row(row: Mapping[str, Any]) -> User:
    """A person from the columns `USER_SQL` names."""
    defaults = default_rights(row["default_rights"])
    role, is_child = Role(row["role"]), bool(row["is_child"])
    own = own_permissions(row["permissions"])
    permissions = defaults.permissions if own is None else own
    if role is Role.ADMIN:
        permissions = tuple(Permission)
    elif is_child:
        permissions = tuple(one for one in permissions if one not in NOT_FOR_CHILDREN)
    quotas = {
        name: getattr(defaults.quotas, name) if row[name] is None else int(row[name])
        for name in Quotas.__struct_fields__
    }
    return User(
        id=row["id"],
        username=row["username"],
        display_name=row["display_name"],
        role=role,
        state=UserState(row["state"]),
        created_at=row["created_at"],
        last_seen_at=row["last_seen_at"],
        permissions=permissions,
        quotas=Quotas(**quotas),
        is_child=is_child,
        rating_limit=RatingLimit(row["rating_limit"]) if row["rating_limit"] else None,
        picture=row["picture"],
        must_change_password=bool(row["must_change_password"]),
    )
