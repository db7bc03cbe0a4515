"""Plans in a YAML file."""

from wsmgr.adapters.plans.document import Mistake, parse
from wsmgr.adapters.plans.file import PlansFile
from wsmgr.adapters.plans.render import render

__all__ = ["Mistake", "PlansFile", "parse", "render"]
