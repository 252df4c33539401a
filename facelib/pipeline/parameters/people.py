"""The parameters of the notebooks about people: gather, embed, map, tune, train."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, PositiveInt

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

_Engine = Literal["bing", "google", "baidu", "flickr"]


class GatherDataParameters(NotebookParameters):
    """The parameters of `01_gather_data`."""

    people_from: str = Field(
        "", description="a folder with a folder of pictures for each person, to copy in; empty: nothing"
    )
    videos_from: Lines = Field(
        [], description="films, folders of films, or addresses of films, to bring in; one text or a list"
    )
    names: Lines = Field([], description="people to look for on the web, one per line or a list; empty: nobody")
    dataset_from: str = Field(
        "", description="LFW's archive, a list of FaceScrub's, or any folder tree; empty takes none"
    )
    faces_from: Lines = Field([], description='films of the project whose people are proposed, or "all"')
    people_named: dict[str, str] = Field(
        {}, description='{"Person 1": "Amy Adams"} copies in the pictures of a proposed person'
    )
    detector: DetectorNetwork = Field("centerface", description="finds the faces of gathered pictures: see notebook 02")
    embedder: EmbedderNetwork = Field("dlib", description="tells which faces are similar: see notebook 02")
    max_num: int = Field(50, ge=1, le=1000, description="pictures that are fetched for each person")
    engines: Annotated[list[_Engine], BeforeValidator(as_lines)] = Field(
        ["bing"], description="search engines: bing, google, baidu, flickr"
    )
    words: str = Field("portrait", description="further words to search with")
    licence: str = Field(
        "",
        description='commercial, noncommercial, either with ",modify", creativecommons, publicdomain; empty takes any',
    )
    addresses_from: str = Field("", description="a CSV file of pictures to fetch, a line each: name,address")
    image_size: int = Field(
        160, ge=1, le=2048, description="pixels of the side of the faces cut out into data/<project>/aligned"
    )
    margin: float = Field(
        0.125, ge=0, le=5, description="margin around them on each side, as a fraction of the face's side"
    )
    per_person: int = Field(
        0, ge=0, description="most gathered pictures of a person; 0: about as many as the others have"
    )
    largest_download: float = Field(20.0, gt=0, description="GB; a larger film is not fetched")
    sparql_endpoint: str = Field(
        "", description="describes the addresses in videos_from that are not those of films; empty: none"
    )
    private_addresses: bool = Field(False, description="fetch also from this machine and the private network around it")


class EmbedFacesParameters(NotebookParameters):
    """The parameters of `02_embed_faces`."""

    detector: DetectorNetwork = Field("centerface", description=OF_DETECTOR)
    embedder: EmbedderNetwork = Field(
        "dlib-mirrored",
        description="dlib-mirrored, dlib, facenet, mobilefacenet or the path of an ONNX file",
    )
    smallest_face: float = Field(
        40.0, gt=0, description="pixels of the picture at working_size; smaller faces are not looked for"
    )
    working_size: PositiveInt = Field(1000, description=OF_WORKING_SIZE)
    provider: Provider = Field("auto", description=OF_PROVIDER)
    most_shown: int = Field(60, ge=0, description="pictures in each of the two pages of thumbnails")


class VisualizeTsneParameters(NotebookParameters):
    """The parameters of `03_visualize_tsne`."""

    perplexity: float = Field(
        30.0, ge=1, description="about how many neighbours each face is kept near; less for small casts"
    )
    seed: Seed = Field(0, description="seed of the random numbers; another one gives another map")
    k: PositiveInt = Field(5, description="how many of the nearest faces say whom a face lies among")
    most_shown: int = Field(60, ge=0, description="pictures in the page of thumbnails")


class TuneThresholdParameters(NotebookParameters):
    """The parameters of `04_tune_threshold`."""

    kind: Literal["knn", "svm"] = Field(
        "knn", description="knn: the nearest faces vote; svm: one support vector machine a person"
    )
    k: PositiveInt = Field(5, description="how many of the nearest faces vote (knn)")
    threshold: float | None = Field(
        None, ge=0, description="largest distance (knn) or least probability (svm) of a name; None: fitted"
    )
    wanted_fpir: float = Field(0.01, ge=0, lt=1, description="the share of strangers, 0 to 1, that may be given a name")
    most_unnamed: Share = Field(
        0.5, description="share of the cast, 0 to 1, that may be without a name when it is saved"
    )
    per_person: bool = Field(False, description="whether each person gets a threshold of their own")
    save: bool = Field(True, description="whether to write the recognizer; if not, only the button further down does")
    comparison: bool = Field(
        True, description="whether to compare recognizers; with thousands of faces that takes minutes"
    )
    detector: DetectorNetwork = Field(
        "centerface", description="finds the faces of the strangers; take that of notebook 2"
    )
    smallest_face: float = Field(40.0, gt=0, description="of the strangers, as in notebook 2")
    working_size: PositiveInt = Field(1000, description="of the pictures of strangers, as in notebook 2")
    embedder: EmbedderNetwork = Field("", description=OF_EMBEDDER)
    weights: Literal["uniform", "distance"] = Field(
        "uniform", description="uniform: each neighbour has one vote; distance: nearer ones count more (knn)"
    )
    kernel: Literal["linear", "rbf"] = Field("linear", description="linear or rbf (svm)")
    seed: Seed = Field(0, description="seed of the intervals and of the folds of support vector machines")


class TrainEmbeddingParameters(NotebookParameters):
    """The parameters of `08_train_embedding`."""

    people_from: str = Field(
        "", description="a folder with a folder of pictures per person; empty: the project's own people"
    )
    network: str = Field(
        "small_resnet", description="small_resnet, inception_resnet_v1, nn4_small2, xception or a name of timm"
    )
    loss: Literal["arcface", "triplet", "npairs", "supcon"] = Field(
        "arcface", description="arcface, triplet, npairs or supcon"
    )
    epochs: PositiveInt = Field(40, description="passes over the pictures, at most")
    image_size: int = Field(
        112, ge=32, le=2048, description="pixels of a side of the faces; smaller is faster, less accurate"
    )
    dimension: int = Field(128, ge=2, description="numbers in an embedding")
    device: Provider = Field("auto", description="auto takes a CUDA GPU where there is one; cpu, cuda")
    restart: bool = Field(False, description="discard an earlier training of this network and start again")
    least_pictures: int = Field(5, ge=2, description="people with fewer pictures are left out")
    validation_share: float = Field(
        0.3,
        gt=0,
        lt=1,
        description="the share of the people, 0 to 1, that the network is not trained on but validated with",
    )
    detector: DetectorNetwork = Field("centerface", description="finds the faces: see notebook 02")
    alignment: Literal["five points", "margin", "dlib"] = Field(
        "five points", description="how faces are cut out: five points, margin or dlib"
    )
    pretrained: bool = Field(False, description="start from weights learnt on ImageNet, where they are on this machine")
    miner: Literal["semihard", "hard", "all"] | None = Field(
        None, description="which triplets of a batch count: semihard, hard or all; None is semihard"
    )
    margin: float | None = Field(None, description="how far apart people are pushed; None takes the loss's own")
    people_per_batch: int = Field(
        16, ge=2, description="different people in a batch; more show harder pairs and take more memory"
    )
    pictures_per_person: int = Field(2, ge=2, description="pictures of each of them")
    learning_rate: float = Field(0.002, gt=0, description="its highest value, after the warm-up")
    snapshot_every: PositiveInt = Field(5, description="epochs between two of the maps further down")
    patience: PositiveInt | None = Field(
        None, description="validations without progress after which it stops; None continues to the end"
    )
    reference: EmbedderNetwork = Field("dlib", description="the network to compare with")
    perplexity: float = Field(15.0, ge=1, description="of the maps: about how many neighbours each face is kept near")
    threads: PositiveInt = Field(2, description="threads of the CPU")
    seed: Seed = Field(0, description="seed of all random numbers")
