"""Long work: a table of jobs, claimed by servers, each run in a process of its own."""

from facelib.server.jobs.kinds import KINDS, JobKind, check_job
from facelib.server.jobs.queue import cancel, enqueue, retry

__all__ = ["KINDS", "JobKind", "cancel", "check_job", "enqueue", "retry"]
