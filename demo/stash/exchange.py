"""What the answer to a GraphQL request may depend on besides the request."""

from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLResolveInfo

from demo.stash.library import Library


@dataclass(frozen=True)
class Exchange:
    """`base_url` is how the client came; `api_key` is empty where there is none.

    `links` is kept by resolvers of one operation: which rows name which.
    """

    library: Library
    base_url: str
    api_key: str
    version: str
    links: dict[Any, Any] = field(default_factory=dict, compare=False)


Info = GraphQLResolveInfo[Exchange]
