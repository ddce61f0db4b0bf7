"""Folders of estimators that learn from many people's connectomes, or from their mean.

A participant_id has no full stop, so that none of them is a person's.
"""

POOLED = "pooled.all"
AVERAGE = "average.all"
LEAVE_ONE_OUT = "leave_one_out."
"""Before the person whose connectome is left out."""
