"""Four losses of metric learning, each with its margin."""

from __future__ import annotations

import warnings
from typing import Any

from torch import Tensor, nn

from facelib.train.settings import LossName, MinerName, check_loss

TRIPLET_MARGIN = 0.2
SUPCON_SCALE = 10.0

# ArcFace's publication has 28.6 degrees and 64, for tens of thousands of people. These were found on 42 people of LFW,
# where 20 degrees had hardly begun to learn after three epochs.
ARCFACE_MARGIN = 6.0
ARCFACE_SCALE = 16.0


class EmbeddingLoss(nn.Module):
    """A loss over a batch of vectors, with a miner if it uses one.

    Its parameters, such as the directions that ArcFace learns for the people, are trained beside the network's.
    """

    def __init__(self, loss: nn.Module, miner: nn.Module | None = None) -> None:
        super().__init__()
        self.loss, self.miner = loss, miner

    def forward(self, vectors: Tensor, labels: Tensor) -> Tensor:
        """Return the loss, a number, of vectors `(n, dimension)` of length 1 and people `(n,)` int64."""
        mined = (self.miner(vectors, labels),) if self.miner is not None else ()
        value: Tensor = self.loss(vectors, labels, *mined)
        return value


def loss(
    name: LossName,
    *,
    people: int,
    dimension: int,
    margin: float | None = None,
    miner: MinerName | None = None,
    scale: float | None = None,
) -> EmbeddingLoss:
    """Make a loss.

    Args:
        name: `"triplet"` (Schroff et al., FaceNet, CVPR 2015), `"npairs"` (Sohn, NIPS 2016), `"arcface"` (Deng et al.,
            CVPR 2019) or `"supcon"` (Khosla et al., NeurIPS 2020).
        people: Different people to train on; ArcFace learns a direction for each.
        dimension: Length of the vectors.
        margin: How far apart people are pushed: a distance for triplets (0.2), degrees for ArcFace (6; the
            publication takes 28.6 for tens of thousands of people).
        miner: Which triplets of a batch count: `"semihard"`, `"hard"` or `"all"` (None: `"semihard"`).
        scale: What cosines are multiplied by: ArcFace (16; published: 64) and SupCon (10, one over its temperature).
            Raising it gives more weight to the worst mistakes.

    Raises:
        ImportError: When pytorch-metric-learning is not installed.
        ValueError: When a name is not known, or the loss has no such parameter.

    Examples:
        >>> import torch
        >>> made = loss("triplet", people=2, dimension=2, miner="all", margin=0.5)
        >>> float(made(torch.eye(2).repeat(2, 1), torch.tensor([0, 1, 0, 1])))
        0.0
    """
    check_loss(name, margin=margin, miner=miner, scale=scale)
    library = _library()
    if name == "triplet":
        distance = TRIPLET_MARGIN if margin is None else margin
        mined = library.miners.TripletMarginMiner(margin=distance, type_of_triplets=miner or "semihard")
        return EmbeddingLoss(library.losses.TripletMarginLoss(margin=distance), mined)
    if name == "npairs":
        return EmbeddingLoss(library.losses.NPairsLoss())
    if name == "supcon":
        return EmbeddingLoss(library.losses.SupConLoss(temperature=1 / (SUPCON_SCALE if scale is None else scale)))
    degrees = ARCFACE_MARGIN if margin is None else margin
    sharp = ARCFACE_SCALE if scale is None else scale
    return EmbeddingLoss(library.losses.ArcFaceLoss(people, dimension, margin=degrees, scale=sharp))


def _library() -> Any:
    try:
        with warnings.catch_warnings(action="ignore"):  # of what the library uses that will change in PyTorch
            import pytorch_metric_learning.losses
            import pytorch_metric_learning.miners
    except ImportError as error:
        raise ImportError(
            "expected pytorch-metric-learning for the losses, found none: pip install pytorch-metric-learning"
        ) from error
    return pytorch_metric_learning
