"""Forget a person in a project on shared storage."""

from __future__ import annotations

from facelib.archive.cluster.shared import WorkingCopy
from facelib.archive.forget import Forgotten, forget_person


def forget_in_storage(copy: WorkingCopy, person: str, *, keep_name: bool = False) -> Forgotten:
    """Remove a person from a project on shared storage, and from its copy on this machine.

    The copy is brought up to date, the person is removed there as by `forget_person`, and the storage is made the
    same: pictures, tables, decisions, sheets and reports. Where it breaks off, it can be run again.
    No run on the project must be under way, here or on another machine.

    Raises:
        ValueError: When nobody has this name.
        BlockingIOError: When another process of this machine works on one of the films.
        OSError: When the storage does not answer or refuses, or a file cannot be removed or written.
    """
    copy.fetch()
    done = forget_person(copy.project, person, keep_name=keep_name)
    copy.send(forgotten=True)
    done.stays.append("copies of the project on other machines, until the next run there")
    done.stays.append("earlier versions of objects, where the bucket keeps them: remove those by its own means")
    return done
