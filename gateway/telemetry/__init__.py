"""What the gateway tells about itself, without telling anything about anyone."""

from .graphql_errors import log_graphql_errors, sanitise
from .logs import AccessLog, configure

__all__ = ["AccessLog", "configure", "log_graphql_errors", "sanitise"]
