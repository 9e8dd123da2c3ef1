"""What the answer to a GraphQL request may depend on besides the request."""

from dataclasses import dataclass

from graphql import GraphQLResolveInfo

from demo.stash.library import Library


@dataclass(frozen=True)
class Exchange:
    """`base_url` is how the client came; `api_key` is empty where there is none."""

    library: Library
    base_url: str
    api_key: str
    version: str


Info = GraphQLResolveInfo[Exchange]
