"""The GraphQL schema: types and fields made from the standard's declarations and the relations."""
