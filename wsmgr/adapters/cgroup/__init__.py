"""Control groups of the second version, by their files."""

from wsmgr.adapters.cgroup.groups import KernelCgroups

__all__ = ["KernelCgroups"]
