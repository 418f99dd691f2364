"""What all scenarios begin with."""

from tests.torture.scene import scene

__all__ = ["scene"]
