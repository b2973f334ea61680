"""Import this before torchvision, whose wheel needs two operators that its extension does not declare beside the CPU
build of PyTorch. No model calls them."""

import torch

library = torch.library.Library("torchvision", "FRAGMENT")
for _name in ("nms", "qnms"):
    if not hasattr(torch.ops.torchvision, _name):
        library.define(f"{_name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
