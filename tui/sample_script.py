"""The head of the submission script that a launch will hand to SLURM, for a person to read beforehand.

Behind it come the worker and the tasks, which nobody needs to read. Imports no textual.
"""

from __future__ import annotations

import posixpath
import pwd

from runners.config.files import read_profile, read_resource
from runners.config.home import Home
from runners.config.profile import Profile, SlurmSSHProfile
from runners.config.resource import LocalResource
from runners.launching import Prepared
from runners.layout import batch_token, step_folder
from runners.slurm.batch_script import batch_script
from runners.slurm.script import script_head
from runners.tasks import Numbered, StepContext, batch_spec
from runners.workflow import TaskType


def sample_scripts(prepared: Prepared, home: Home) -> list[list[str]]:
    """For each step the head of its first job's script, line by line; empty on this machine.

    Reads the resource and the profile, and blocks.

    Raises:
        ConfigError: the script can't be written as configuration and step want it.
    """
    spec = prepared.request.spec
    resource = read_resource(home.resources, spec.resource).value
    if isinstance(resource, LocalResource) or spec.profile is None:
        return []
    profile = read_profile(home.resources, spec.resource, spec.profile).value
    jobs = jobs_folder_of(profile)
    folder = posixpath.join(spec.folder or jobs, prepared.request.run)
    heads = []
    batches = 0
    for position, (step, plan) in enumerate(prepared.plans):
        once = step.type is TaskType.NON_PARALLEL
        items = [None] if once else prepared.request.items[: plan.tasks_per_batch]
        token = batch_token(prepared.request.run, batches, str(home.state))
        batch = batch_spec(
            StepContext(
                prepared.request.run,
                step,
                step_folder(folder, position, step.name),
                spec.workdir or folder,
                spec.environment,
                prepared.request.items,
            ),
            [Numbered(index, index, item) for index, item in enumerate(items)],
            token=token,
            number=batches,
            slots=plan.slots_per_batch,
        )
        heads.append(script_head(batch_script(batch, resource, jobs)))
        batches += len(plan.batches)
    return heads


def jobs_folder_of(profile: Profile) -> str:
    """Where runs get their folders as this profile; of a user unknown on this machine, a likely one."""
    if isinstance(profile, SlurmSSHProfile):
        return profile.jobs_remote_dir
    user = profile.username or ""
    try:
        return posixpath.join(pwd.getpwnam(user).pw_dir, "runyard")
    except KeyError:
        # That there is no such user is told when the run begins; here a name will do.
        return f"/home/{user}/runyard"
