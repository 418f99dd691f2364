"""Bring Superset's metadata to where it should be: schema, administrator, roles, connection,
datasets, charts, dashboard.

Idempotent: run before every start. The administrator's password becomes that of the file; the
bundle's own objects are overwritten.
"""

import sys
from pathlib import Path

from superset.app import create_app

BUNDLE = Path(__file__).with_name("bundle")
ADMIN = "admin"


def _contents(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in sorted(folder.rglob("*.yaml"))
    }


def _ensure_admin(password: str) -> None:
    from superset import security_manager

    user = security_manager.find_user(username=ADMIN)
    if user is None:
        role = security_manager.find_role("Admin")
        user = security_manager.add_user(ADMIN, "ttsq", "admin", "admin@localhost", role, password)
        if not user:
            raise RuntimeError("cannot create the administrator")
    else:
        security_manager.reset_password(user.id, password)


def _import(contents: dict[str, str]) -> None:
    from superset import security_manager
    from superset.commands.importers.v1.assets import ImportAssetsCommand
    from superset.utils.core import override_user

    with override_user(security_manager.find_user(username=ADMIN)):
        ImportAssetsCommand(
            contents
        ).run()  # that of dashboards would leave old datasets as they are


def provision(bundle: Path) -> None:
    """All of it; what is there already stays, or is brought up to date."""
    app = create_app()
    with app.app_context():
        from flask_migrate import upgrade

        upgrade()
        from superset import appbuilder, security_manager

        appbuilder.add_permissions(update_perms=True)
        security_manager.sync_role_definitions()
        _ensure_admin(app.config["ADMIN_PASSWORD"])
        _import(_contents(bundle))


if __name__ == "__main__":
    provision(Path(sys.argv[1]) if len(sys.argv) > 1 else BUNDLE)
