"""The parameters of the notebooks: one class for each, checked in the notebook and on the command line alike."""

from facelib.pipeline.parameters.base import NotebookParameters
from facelib.pipeline.parameters.films import (
    AnnotateVideoParameters,
    EvaluateParameters,
    LiveCameraParameters,
    ReviewTracksParameters,
    SearchArchiveParameters,
)
from facelib.pipeline.parameters.people import (
    EmbedFacesParameters,
    GatherDataParameters,
    TrainEmbeddingParameters,
    TuneThresholdParameters,
    VisualizeTsneParameters,
)
from facelib.pipeline.parameters.reading import parse_value

__all__ = [
    "NOTEBOOKS",
    "AnnotateVideoParameters",
    "EmbedFacesParameters",
    "EvaluateParameters",
    "GatherDataParameters",
    "LiveCameraParameters",
    "NotebookParameters",
    "ReviewTracksParameters",
    "SearchArchiveParameters",
    "TrainEmbeddingParameters",
    "TuneThresholdParameters",
    "VisualizeTsneParameters",
    "parse_value",
]

NOTEBOOKS: dict[str, type[NotebookParameters]] = {
    "01_gather_data": GatherDataParameters,
    "02_embed_faces": EmbedFacesParameters,
    "03_visualize_tsne": VisualizeTsneParameters,
    "04_tune_threshold": TuneThresholdParameters,
    "05_annotate_video": AnnotateVideoParameters,
    "06_review_tracks": ReviewTracksParameters,
    "07_evaluate": EvaluateParameters,
    "08_train_embedding": TrainEmbeddingParameters,
    "09_live_camera": LiveCameraParameters,
    "10_search_archive": SearchArchiveParameters,
}
"""By the notebook's file name without `.ipynb`."""
