"""The accounts of appliance.accounts behind the pages' port."""

from __future__ import annotations

from starlette.requests import Request

from appliance.accounts.user import Role, User
from appliance.accounts.web import csrf_protect, current_user, optional_user
from appliance.web.ports import Viewer
from contracts.errors import ForbiddenError


class AccountsGate:
    """Gate over `request.app.state.sessions`: accounts on the hub, signatures on the edge (I6)."""

    async def viewer(self, request: Request) -> Viewer | None:
        """The signed-in person, None where nobody is."""
        user = optional_user(request)
        return self._seen(request, user) if user else None

    async def require(self, request: Request, *roles: str) -> Viewer:
        """Any signed-in person, or one of `roles`. Raises NotSignedInError, ForbiddenError."""
        user = current_user(request)
        viewer = self._seen(request, user)
        if roles and not user.may(*(Role(role) for role in roles)):
            raise ForbiddenError(
                f"{user.name} may not do this: it is for {', '.join(roles)}",
                mend="Ask somebody with that role, or an administrator for the role",
            )
        return viewer

    async def verify(self, request: Request) -> None:
        """Check the CSRF token of a write. Raises ForbiddenError."""
        await csrf_protect(request)

    @staticmethod
    def _seen(request: Request, user: User) -> Viewer:
        viewer = Viewer(user.name, frozenset(str(role) for role in user.roles), user.csrf)
        request.state.viewer = viewer
        return viewer
