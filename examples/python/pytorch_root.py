"""A PyTorch network becomes a root-8 network, is trained by rootc, and its weights go back into PyTorch.

    python pytorch_root.py [data/cifar10-quick [EPOCHS]]

Needs the packages rootc, torch and onnx. The cells are for an editor or notebook that knows "# %%".
"""

# %% The network, in PyTorch: no groups, or those of a root topology.
import sys

import numpy as np
import torch
from torch import nn

import rootc


class Net(nn.Module):

    def __init__(self, groups=(1, 1)):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 32, 5, padding=2), nn.BatchNorm2d(32)
        self.conv2, self.bn2 = nn.Conv2d(32, 32, 3, padding=1, groups=groups[0]), nn.BatchNorm2d(32)
        self.conv3, self.bn3 = nn.Conv2d(32, 64, 1), nn.BatchNorm2d(64)
        self.conv4, self.bn4 = nn.Conv2d(64, 64, 3, padding=1, groups=groups[1]), nn.BatchNorm2d(64)
        self.conv5, self.bn5 = nn.Conv2d(64, 64, 1), nn.BatchNorm2d(64)
        self.fc = nn.Linear(64 * 4 * 4, 10)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.bn1(self.conv1(x)).relu(), 2)
        x = self.bn2(self.conv2(x)).relu()
        x = nn.functional.max_pool2d(self.bn3(self.conv3(x)).relu(), 2)
        x = self.bn4(self.conv4(x)).relu()
        x = nn.functional.max_pool2d(self.bn5(self.conv5(x)).relu(), 2)
        return self.fc(x.flatten(1))


folder = sys.argv[1] if len(sys.argv) > 1 else "data/cifar10-quick"
epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 3

# %% Compiled with 8 groups in the stage nearest the image, and half of them in the next.
torch.manual_seed(0)
model = rootc.compile(Net(), image=(32, 32), root=8)

# %% Trained here.
train = rootc.Dataset(folder, model)
test = rootc.Dataset(folder, model, split="test")
for line in model.fit(train, test, epochs=epochs, batch=50):
    print(f"epoch {line['epoch']}: loss {line['loss']:.4f}, test accuracy {line['test_accuracy']:.4f}")

# %% Back into PyTorch: a module with these groups.
net = Net(groups=(8, 4)).eval()
net.load_state_dict(model.torch_state_dict())

# %% Both answer alike.
largest, right = 0.0, 0
with torch.no_grad():
    for batch in test.batches(batch=100):
        logits = model(batch.images)
        theirs = net(torch.tensor(batch.images).permute(0, 3, 1, 2)).numpy()
        largest = max(largest, float(np.abs(theirs - logits).max()))
        right += int((theirs.argmax(1) == batch.labels).sum())
print(f"PyTorch: test accuracy {right / len(test):.4f}; the logits differ by at most {largest:.1e}")
