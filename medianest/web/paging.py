"""Lists in slices: `?limit=&offset=`, never more than a hundred."""

from __future__ import annotations

from typing import Annotated, Generic, TypeVar

import msgspec
from litestar.params import Parameter

T = TypeVar("T")

LARGEST_PAGE = 100

Limit = Annotated[int, Parameter(ge=1, le=LARGEST_PAGE, description="How many, at most 100")]
Offset = Annotated[int, Parameter(ge=0, le=10_000_000, description="How many to pass over")]


class Page(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """One slice of a list and the size of the whole."""

    items: list[T]
    total: int
    limit: int
    offset: int
