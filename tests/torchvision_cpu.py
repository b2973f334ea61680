"""Import this before torchvision, whose wheel is made for the CUDA build of PyTorch: beside the CPU build its extension
does not load, and two operators that it asks for are declared here. No model calls them."""

import torch

if torch.version.cuda is None:
    library = torch.library.Library("torchvision", "FRAGMENT")
    for _name in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, _name):
            library.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
