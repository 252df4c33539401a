"""The parameters of the notebooks about films: annotate, review, evaluate, live, search."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, NonNegativeFloat, PositiveInt

from facelib.pipeline.parameters.base import (
    OF_DETECTOR,
    OF_EMBEDDER,
    OF_PROVIDER,
    OF_WORKING_SIZE,
    DetectorNetwork,
    EmbedderNetwork,
    Lines,
    NotebookParameters,
    Provider,
    Seed,
    Share,
    as_lines,
)

ExportFormat = Literal[
    "csv", "json", "parquet", "vtt", "srt", "otio", "edl", "fcpxml", "annotations", "mot", "graphml", "resolve", "fcp7",
    "avid", "eaf", "iiif", "ebucore", "chapters", "nfo",
]  # fmt: skip
_VIDEOS = "names in the project's videos folder, or paths; empty: all films of the project"
_QUALITY = "of annotated.mp4, as x264's constant rate factor; 18 is as good as the source, 28 is small"
_GAP = "seconds; shorter gaps between two tracks of one person are closed in the timeline"
_SCORE = "minimum score of a face that is shown; None takes the detector's own"


class AnnotateVideoParameters(NotebookParameters):
    """The parameters of `05_annotate_video`."""

    videos: Lines = Field([], description=_VIDEOS)
    detector: DetectorNetwork = Field("centerface", description=OF_DETECTOR)
    seconds_between_samples: float = Field(
        0.1, gt=0, le=86400, description="faces are looked for this often, boxes in between interpolated"
    )
    confidence_threshold: Share = Field(
        0.7, description="minimum probability of a name; below it a track stays unknown"
    )
    context: bool = Field(True, description="carry names to small and turned faces by clothes and places")
    draw: bool = Field(True, description="write annotated.mp4")
    blur: Literal["nobody", "strangers", "everyone"] = Field(
        "nobody", description="who is made unrecognisable in it: nobody, strangers or everyone"
    )
    exports: Annotated[list[ExportFormat], BeforeValidator(as_lines)] = Field(
        ["csv", "json", "vtt", "srt", "otio", "edl", "fcpxml", "annotations", "mot", "graphml"],
        description="formats",
    )
    score: Share | None = Field(None, description=_SCORE)
    smallest_face: float = Field(
        16.0, gt=0, description="pixels of the film; smaller faces are not looked for, and a larger value is faster"
    )
    working_size: PositiveInt = Field(640, description=OF_WORKING_SIZE)
    embedder: EmbedderNetwork = Field("", description=OF_EMBEDDER)
    video_speedup: int = Field(0, ge=0, description="look at every so many frames instead; 0 goes by seconds")
    seconds_between_whole: NonNegativeFloat = Field(
        0.5,
        description="seconds between searches of a whole picture, parts in between; 0: all whole, twice the time",
    )
    shot_method: Literal["adaptive", "content"] = Field(
        "adaptive", description="adaptive compares a change with its neighbours; content by its size alone"
    )
    shot_threshold: float | None = Field(
        None, gt=0, description="raise it to find fewer cuts; None takes the method's own"
    )
    tracker: Literal["sort", "bytetrack", "ocsort"] = Field(
        "bytetrack", description="how faces are linked: sort, bytetrack or ocsort"
    )
    dominant_ratio: Share = Field(
        0.8, description="minimum share of a track's best faces that must agree with its name"
    )
    adapt_to_film: bool = Field(
        False, description="add the film's most certain faces to the gallery, for this film only, and name again"
    )
    longest_gap: NonNegativeFloat = Field(1.0, description=_GAP)
    show_unknown: bool = Field(True, description="show groups of unknown people in the timeline and in the exports")
    sharp: Lines = Field([], description="people who are not blurred")
    show_confidence: bool = Field(False, description="write the probability beside each name")
    quality: int = Field(23, ge=0, le=51, description=_QUALITY)
    reel_of: Lines = Field([], description="people whose appearances are cut together as select_reel.mp4")
    scheduler: str = Field(
        "", description="address of a Dask scheduler whose workers search the films, such as tcp://host:8786"
    )
    provider: Provider = Field("auto", description=OF_PROVIDER)


class ReviewTracksParameters(NotebookParameters):
    """The parameters of `06_review_tracks`."""

    videos: Lines = Field([], description=_VIDEOS)
    by: str = Field("", description="who decides; kept with every decision")
    sure: Share = Field(0.9, description="the confidence, 0 to 1, from which a name needs no second look")
    enrol_named: bool = Field(True, description="put faces that were given a name into people/, for 02, 04 and 05")
    draw: bool = Field(
        False,
        description="write annotated.mp4 again, without blurring; to blur faces, run 05 again",
    )
    most_shown: int = Field(40, ge=0, description="tracks on a page")
    longest_gap: NonNegativeFloat = Field(1.0, description=_GAP)
    show_unknown: bool = Field(True, description="show groups of unknown people in the timeline and in the exports")
    quality: int = Field(23, ge=0, le=51, description=_QUALITY)


class EvaluateParameters(NotebookParameters):
    """The parameters of `07_evaluate`."""

    videos: Lines = Field([], description=_VIDEOS)
    truth: str = Field(
        "", description="the folder of truth tables; empty means the folder truth in the project's data folder"
    )
    least_iou: float = Field(
        0.3, gt=0, le=1, description="overlap that a found and a labelled box need, 0 to 1; raise it for exact boxes"
    )
    worst: int = Field(24, ge=0, description="how many of the worst mistakes are shown")
    classifier: Literal["svm", "knn", "mean"] = Field(
        "svm", description="svm, knn or mean (the nearest mean of a person's faces)"
    )
    pairs: str = Field("", description="a list of pairs as LFW's pairs.txt or pairsDevTest.txt; empty leaves this out")
    pairs_pictures: str = Field("", description="the folder of its pictures, one folder per person")
    min_nrof_images_per_class: PositiveInt = Field(
        40, description="of the classification experiment; people with fewer pictures are left out"
    )
    nrof_train_images_per_class: PositiveInt = Field(
        35, description="pictures of each person that are trained on; the rest is named"
    )
    detector: DetectorNetwork = Field("centerface", description=f"finds the faces of the pairs; {OF_DETECTOR}")
    embedder: EmbedderNetwork = Field("", description=f"for the pairs: {OF_EMBEDDER}")
    seed: Seed = Field(0, description="seed of all random numbers")


class SearchArchiveParameters(NotebookParameters):
    """The parameters of `10_search_archive`."""

    projects: Lines = Field([], description="further projects that are searched as well; one text or a list")
    people: Lines = Field([], description="who is seen, all of them; empty: the one of the cast who is in most films")
    without: Lines = Field([], description="who must not be seen")
    by: Literal["moment", "shot", "scene"] = Field(
        "moment", description="moment: all on screen at once; shot or scene: all seen at some time within it"
    )
    shortest: NonNegativeFloat = Field(0.0, description="seconds; shorter hits are left out")
    face: str = Field("", description="a picture; the tracks with faces like its largest face are shown")
    most_shown: PositiveInt = Field(24, description="hits on a page, and tracks that a face finds")
    longest_gap: NonNegativeFloat = Field(1.0, description=_GAP)
    detector: DetectorNetwork = Field("centerface", description=f"finds the face of the picture: {OF_DETECTOR}")
    embedder: EmbedderNetwork = Field("", description=OF_EMBEDDER)


class LiveCameraParameters(NotebookParameters):
    """The parameters of `09_live_camera`."""

    source: str = Field(
        "",
        coerce_numbers_to_str=True,
        description="number of a camera, address of a stream, or film; empty: the project's first film",
    )
    seconds: NonNegativeFloat = Field(
        8.0, description="played without a viewer (papermill, facelib run); 0: to the end"
    )
    detector: DetectorNetwork = Field("centerface", description=OF_DETECTOR)
    smallest_face: float = Field(
        16.0, gt=0, description="pixels; smaller faces are not looked for, and a larger value is faster"
    )
    confidence_threshold: Share = Field(0.7, description="minimum probability of a name; below it a face stays unknown")
    loop: bool = Field(False, description="start a film again at its end")
    record: bool = Field(False, description="record the annotated picture after each start")
    score: Share | None = Field(None, description=_SCORE)
    working_size: PositiveInt = Field(640, description=OF_WORKING_SIZE)
    embedder: EmbedderNetwork = Field("", description=OF_EMBEDDER)
    seconds_between_recognitions: NonNegativeFloat = Field(
        0.0, description="0 recognises as often as possible; a larger value uses less processor time"
    )
    picture_size: PositiveInt = Field(960, description="pixels of the longer side of the picture in the page")
    longest_gap: NonNegativeFloat = Field(1.0, description=_GAP)
    provider: Provider = Field("auto", description=OF_PROVIDER)
