"""The notebooks in order, run headlessly through papermill."""

from facelib.pipeline.run import MAIN_STEPS, StepResult, notebooks_folder, run_pipeline

__all__ = ["MAIN_STEPS", "StepResult", "notebooks_folder", "run_pipeline"]
