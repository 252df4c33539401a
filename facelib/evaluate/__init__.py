"""Predictions against ground truth: faces found and named, tracks, clusters, confidences, and published experiments."""

from facelib.evaluate.calibration import calibration_error, film_reliability, gallery_reliability, reliability
from facelib.evaluate.classification import Classification, classify_gallery, classify_pictures
from facelib.evaluate.clusters import ClusterScore, score_clusters, track_clusters
from facelib.evaluate.counting import Score, confusion, count, score_film, score_table
from facelib.evaluate.films import Evaluation, evaluate_films
from facelib.evaluate.identification import Searches, det_curve, fnir_at, searches
from facelib.evaluate.matching import found_faces, join_films, match_faces
from facelib.evaluate.mistakes import list_mistakes
from facelib.evaluate.open_set import OpenSetScore, open_set
from facelib.evaluate.pairs import (
    PairScore,
    cut_main_face,
    embed_pictures,
    read_pairs,
    verify_pairs,
    verify_pictures,
)
from facelib.evaluate.segments import (
    SegmentScore,
    people_in_segments,
    read_segments,
    score_segment_table,
    score_segments,
)
from facelib.evaluate.tracking import TrackingScore, score_tracking
from facelib.evaluate.tracks import TrackScore, count_tracks, judge_tracks
from facelib.evaluate.truth import Truth, Truths, film_truth, find_truths, load_truth, read_mot, read_truth

__all__ = [
    "Classification",
    "ClusterScore",
    "Evaluation",
    "OpenSetScore",
    "PairScore",
    "Score",
    "Searches",
    "SegmentScore",
    "TrackScore",
    "TrackingScore",
    "Truth",
    "Truths",
    "calibration_error",
    "classify_gallery",
    "classify_pictures",
    "confusion",
    "count",
    "count_tracks",
    "cut_main_face",
    "det_curve",
    "embed_pictures",
    "evaluate_films",
    "film_reliability",
    "film_truth",
    "find_truths",
    "fnir_at",
    "found_faces",
    "gallery_reliability",
    "join_films",
    "judge_tracks",
    "list_mistakes",
    "load_truth",
    "match_faces",
    "open_set",
    "people_in_segments",
    "read_mot",
    "read_pairs",
    "read_segments",
    "read_truth",
    "reliability",
    "score_clusters",
    "score_film",
    "score_segment_table",
    "score_segments",
    "score_table",
    "score_tracking",
    "searches",
    "track_clusters",
    "verify_pairs",
    "verify_pictures",
]
