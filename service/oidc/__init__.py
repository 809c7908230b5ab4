"""Single sign-on by a city's own directory (OpenID Connect): we take its tokens, and make none.

What reads them (`opening`, `jwks`, `issuers`) is imported where a directory is set: httpx and jwt
are slow to import, and most installations do without.
"""

from service.oidc.claimed import Claimed, IssuerNotReached, Issuers
from service.oidc.people import identify

__all__ = ["Claimed", "IssuerNotReached", "Issuers", "identify"]
