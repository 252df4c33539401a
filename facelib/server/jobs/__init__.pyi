from .kinds import KINDS, JobKind, check_job
from .queue import cancel, enqueue, retry

__all__ = ["KINDS", "JobKind", "cancel", "check_job", "enqueue", "retry"]
