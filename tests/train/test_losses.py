"""The losses: low where people lie apart, and with the parameters that each has."""

import pytest
import torch

from facelib.train.losses import loss

LABELS = torch.arange(4).repeat_interleave(3)
APART = torch.nn.functional.one_hot(LABELS, 8).float()
MIXED = torch.nn.functional.one_hot(torch.arange(12) % 4, 8).float() + 0.1 * torch.rand(12, 8)
MIXED = torch.nn.functional.normalize(MIXED)
CASES = [("triplet", "semihard"), ("triplet", "hard"), ("triplet", "all"), ("npairs", None), ("supcon", None)]


@pytest.mark.parametrize(("name", "miner"), CASES)
def test_low_where_people_lie_apart(name, miner):
    made = loss(name, people=4, dimension=8, miner=miner)
    assert float(made(APART, LABELS)) < float(made(MIXED, LABELS)) or miner == "semihard"


def test_arcface_learns_directions():
    torch.manual_seed(0)
    made = loss("arcface", people=4, dimension=8, scale=16, margin=10)
    before = float(made(APART, LABELS).detach())
    optimiser = torch.optim.Adam(made.parameters(), lr=0.1)
    for _ in range(30):
        optimiser.zero_grad()
        made(APART, LABELS).backward()
        optimiser.step()
    assert float(made(APART, LABELS).detach()) < 0.1 * before


def test_triplets_by_hand():
    vectors = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.6, 0.8]])
    labels = torch.tensor([0, 0, 1])
    anchor_first = 2**0.5 - (0.36 + 0.04) ** 0.5 + 0.2
    anchor_second = 2**0.5 - (0.16 + 0.64) ** 0.5 + 0.2
    made = loss("triplet", people=2, dimension=2, miner="all", margin=0.2)
    assert float(made(vectors, labels)) == pytest.approx((anchor_first + anchor_second) / 2, abs=1e-4)


def test_margin_and_scale_matter():
    torch.manual_seed(0)
    small = loss("arcface", people=4, dimension=8, margin=0, scale=16)
    large = loss("arcface", people=4, dimension=8, margin=40, scale=16)
    large.load_state_dict(small.state_dict())
    assert float(large(MIXED, LABELS).detach()) > float(small(MIXED, LABELS).detach())
    soft, sharp = (loss("supcon", people=4, dimension=8, scale=scale) for scale in (1, 30))
    assert float(sharp(APART, LABELS)) < float(soft(APART, LABELS))


@pytest.mark.parametrize(("name", "given"), [
    ("npairs", {"margin": 0.1}), ("supcon", {"margin": 0.1}), ("arcface", {"miner": "hard"}), ("triplet", {"scale": 8}),
])  # fmt: skip
def test_parameters_that_a_loss_has_not(name, given):
    (parameter,) = given
    with pytest.raises(ValueError, match=f"expected {parameter}=None with the loss '{name}'"):
        loss(name, people=2, dimension=2, **given)


def test_names_that_are_not_known():
    with pytest.raises(ValueError, match="got 'contrastive'"):
        loss("contrastive", people=2, dimension=2)
    with pytest.raises(ValueError, match=r"expected a miner, one of .*got 'easy'"):
        loss("triplet", people=2, dimension=2, miner="easy")
