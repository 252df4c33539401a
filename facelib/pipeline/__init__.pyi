from .run import MAIN_STEPS, StepResult, notebooks_folder, run_pipeline

__all__ = ["MAIN_STEPS", "StepResult", "notebooks_folder", "run_pipeline"]
