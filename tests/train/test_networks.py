"""The networks by name: what goes in and out, and what is said of those that do not fit."""

import numpy as np
import pytest
import torch

from facelib.train.inception_resnet_v1 import InceptionResnetV1
from facelib.train.networks import NETWORKS, make_network
from facelib.train.nn4_small2 import NN4Small2, _l2_pool

WEIGHTS = {  # of 128-d networks; the first two as published: FaceNet with its 512-d layer less, OpenFace
    "inception_resnet_v1": 23_482_624 - (512 - 128) * (1792 + 2),
    "nn4_small2": 3_733_968,
}


def count(model: torch.nn.Module) -> int:
    return sum(each.numel() for each in model.parameters())


@pytest.mark.parametrize("name", NETWORKS)
def test_vectors_of_every_network(name):
    model = make_network(name).eval()
    with torch.inference_mode():
        vectors = model(torch.rand(2, 3, 112, 112) * 2 - 1)
    assert vectors.shape == (2, 128)
    np.testing.assert_allclose(vectors.norm(dim=1), 1, atol=1e-5)
    assert count(model) == WEIGHTS.get(name, count(model))


@pytest.mark.parametrize("name", ["small_resnet", "nn4_small2", "mobilenetv3_small_050"])
def test_every_weight_has_a_slope(name):
    model = make_network(name, dimension=32).train()
    model(torch.rand(4, 3, 96, 96) * 2 - 1)[:, 0].sum().backward()
    missing = [
        each for each, value in model.named_parameters() if value.grad is None or not value.grad.isfinite().all()
    ]
    assert missing == []


def test_the_seed_gives_the_weights():
    made = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        made.append(make_network("mobilenetv3_small_050", dimension=8).state_dict()["head.1.weight"])
    assert torch.equal(made[0], made[1]) and not torch.equal(made[0], made[2])


def test_names_that_are_not_known():
    with pytest.raises(ValueError, match=r"expected one of \['inception_resnet_v1', .* got 'resnet19'; near it"):
        make_network("resnet19")
    with pytest.raises(ValueError, match="got dimension=0"):
        make_network("resnet18", dimension=0)


def test_weights_to_start_from(tmp_path):
    import timm

    torch.manual_seed(5)
    published = timm.create_model("mobilenetv3_small_050", num_classes=1000)
    torch.save(published.state_dict(), tmp_path / "published.pth")
    model = make_network("mobilenetv3_small_050", dimension=16, pretrained=tmp_path / "published.pth").eval()
    assert torch.equal(model.body.conv_stem.weight, published.conv_stem.weight)
    # ImageNet's networks know colours by their mean and deviation, ours give them from -1 to 1
    picture = torch.rand(1, 3, 64, 64)
    mean, std = (torch.tensor(published.pretrained_cfg[name]).view(1, 3, 1, 1) for name in ("mean", "std"))
    published.eval().reset_classifier(0)
    wanted = published((picture - mean) / std)
    torch.testing.assert_close(model.body((picture * 2 - 1) * model.scale + model.shift), wanted)


def test_weights_that_are_missing_or_do_not_fit(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"found no file at .*nothing\.pth"):
        make_network("resnet18", pretrained=tmp_path / "nothing.pth")
    (tmp_path / "garbage.pth").write_bytes(b"garbage")
    with pytest.raises(FileNotFoundError, match="pass the path of the file as pretrained"):
        make_network("resnet18", pretrained=tmp_path / "garbage.pth")
    with pytest.raises(ValueError, match="which has no ImageNet weights"):
        make_network("nn4_small2", pretrained=True)
    with pytest.raises(ValueError, match="which has no ImageNet weights"):
        make_network("small_resnet", pretrained=True)


@pytest.mark.parametrize(("make", "smallest"), [(InceptionResnetV1, 75), (NN4Small2, 65)])
def test_the_smallest_pictures(make, smallest):
    model = make(dimension=8).eval()
    with torch.inference_mode():
        assert model(torch.zeros(1, 3, smallest, smallest)).shape == (1, 8)
        with pytest.raises(ValueError, match=f"expected pictures of at least {smallest} pixels"):
            model(torch.zeros(1, 3, smallest - 1, smallest - 1))


def test_facenet_layers_are_named_as_the_published_weights():
    names = InceptionResnetV1().state_dict()
    assert names["repeat_2.9.branch1.1.conv.weight"].shape == (128, 128, 1, 7)
    assert names["mixed_7a.branch2.2.conv.weight"].shape == (256, 256, 3, 3)
    assert names["block8.conv2d.bias"].shape == (1792,)
    assert names["last_linear.weight"].shape == (512, 1792)


def test_l2_pooling_of_nothing_has_a_slope():
    x = torch.zeros(1, 1, 3, 3, requires_grad=True)
    _l2_pool(x, 3).sum().backward()
    assert torch.isfinite(x.grad).all()
    torch.testing.assert_close(_l2_pool(torch.ones(1, 1, 3, 3), 3), torch.full((1, 1, 1, 1), 3.0))
