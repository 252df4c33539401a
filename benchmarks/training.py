"""Networks trained on people of LFW, and how well they tell others apart, beside their untrained selves and PCA.

Usage: python benchmarks/training.py [--data ../shared/data/lfw/people] [--networks small_resnet] [--epochs 40]

All people with 20 and more pictures are parted into those to train on and 20 others, on whom everything is measured:
balanced pairs, half of them of one person, told apart by their distance; the threshold of each tenth is chosen on the
other nine. The network measured is that of the last epoch, so that the people it is measured on choose nothing.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
import torch
from sklearn.decomposition import PCA

import facelib
from facelib.embed import InputForm
from facelib.faces import FloatArray
from facelib.train.crops import crop_faces
from facelib.train.data import Crops, read_people, split_people
from facelib.train.loop import train
from facelib.train.measures import embed_crops, face_metrics, pair_score
from facelib.train.settings import TrainingSettings

HERE = Path(__file__).resolve().parent
HEAD = (
    "| what | pair accuracy | standard error | recall@1 | KNN accuracy | minutes | CPU minutes | millions of weights |"
)


def pca_vectors(people: Crops, others: Crops, *, dimension: int, whiten: bool) -> FloatArray:
    """Return the grey pixels of faces in the main directions of the faces to train on, brought to length 1."""
    first, second = (crops.faces(range(len(crops))).mean(axis=3)[:, ::2, ::2] for crops in (people, others))
    pca = PCA(dimension, whiten=whiten, random_state=0).fit(first.reshape(len(first), -1))
    vectors = pca.transform(second.reshape(len(second), -1))
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), np.float32)


def row(what: str, vectors: FloatArray, others: Crops, *rest: str) -> str:
    """Return a row of the table."""
    names = others.table["person"].to_numpy(str)
    pairs, found = pair_score(vectors, names), face_metrics(vectors, names)
    figures = [f"{pairs.accuracy:.3f}", f"{pairs.standard_error:.3f}", f"{found.recall_at_1:.3f}"]
    return "| " + " | ".join([what, *figures, f"{found.knn_accuracy:.3f}", *(rest or ("",) * 3)]) + " |"


def trained_rows(people: Crops, others: Crops, settings: TrainingSettings, folder: Path) -> list[str]:
    """Train one network, and return its rows: untrained, trained, and trained with mirror images."""
    start, cpu = time.perf_counter(), time.process_time()
    result = train(people, others, folder, settings, resume=False)
    cost = [f"{(time.perf_counter() - start) / 60:.1f}", f"{(time.process_time() - cpu) / 60:.1f}"]
    cost.append(f"{sum(each.numel() for each in result.model.parameters()) / 1e6:.1f}")
    last = result.snapshots[result.best_epoch]
    mirrored = embed_crops(result.model, others, mirrored=True)
    return [
        row(f"{settings.network}, untrained", result.snapshots[0], others),
        row(f"{settings.network}, {result.best_epoch} epochs", last, others, *cost),
        row(f"{settings.network}, {result.best_epoch} epochs, mean with mirror image", mirrored, others),
    ]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=HERE.parents[1] / "shared/data/lfw/people")
    parser.add_argument("--output", type=Path, default=Path("output/benchmark_training"), help="crops and networks")
    parser.add_argument("--detector", default="mtcnn")
    parser.add_argument("--networks", nargs="*", default=["small_resnet"])
    parser.add_argument("--least-pictures", type=int, default=20)
    parser.add_argument("--unseen", type=int, default=20, help="people to measure on")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0], help="each draws other people and other weights")
    parser.add_argument("--epochs", type=int, default=40)
    parser.add_argument("--size", type=int, default=112)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    found = read_people(arguments.data, least_pictures=arguments.least_pictures)
    detector = facelib.load_detector(arguments.detector)
    crops = crop_faces(found, arguments.output / "crops", detector, form=InputForm(size=arguments.size))
    lines = []
    for seed in arguments.seeds:
        people, others = split_people(crops, people=arguments.unseen, seed=seed)
        lines.append(f"\nSeed {seed}: {len(people.names)} people to train on with {len(people)} pictures, ")
        lines[-1] += f"{len(others.names)} others with {len(others)}\n\n{HEAD}\n|" + "---|" * 8
        for whiten in (False, True):
            vectors = pca_vectors(people, others, dimension=128, whiten=whiten)
            lines.append(row(f"PCA on pixels{', whitened' if whiten else ''}", vectors, others))
        for name in arguments.networks:
            settings = TrainingSettings(
                network=name, image_size=arguments.size, epochs=arguments.epochs, threads=arguments.threads, seed=seed,
                validate_every=5, keep="last",
            )  # fmt: skip
            lines += trained_rows(people, others, settings, arguments.output / f"{name}-{seed}")
    print(f"PyTorch {torch.__version__} on {arguments.threads} threads, CUDA: {torch.cuda.is_available()}")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
