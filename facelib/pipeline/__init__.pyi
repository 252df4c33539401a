from .notebooks import MAIN_STEPS, notebooks_folder
from .run import StepResult, run_pipeline

__all__ = ["MAIN_STEPS", "StepResult", "notebooks_folder", "run_pipeline"]
