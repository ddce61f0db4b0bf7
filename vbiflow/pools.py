"""Folders of estimators that learn from many people's connectomes.

A participant_id has no full stop, so that none of them is a person's.
"""

POOLED = "pooled.all"
LEAVE_ONE_OUT = "leave_one_out."
"""Before the person whose connectome is left out."""
